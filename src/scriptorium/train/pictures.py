"""Each page image turned into patches once, however often a trainer asks for it.

TRL has every sample of a group preprocessed anew, once to generate and once to score: 56 times a page with 28
samples. The patches depend on the picture alone, so they are kept by its content.
"""

import hashlib
from collections import OrderedDict
from typing import Any

import torch
from PIL import Image
from transformers import BatchFeature, ProcessorMixin

KEPT = 32
"""Pictures whose patches are kept: more than a process has in one rollout. A page at 1,288 px takes 31 MB."""


class Remembering:
    """Over an image processor whose output says in `image_grid_thw` which patches are whose (Qwen's families)."""

    remembered: OrderedDict[tuple[Any, ...], tuple[torch.Tensor, torch.Tensor]]
    processed: int

    def __call__(self, images: Any, *args: Any, **kwargs: Any) -> BatchFeature:
        """As the image processor itself; equal pictures with equal options are processed once."""
        pictures = _flat(images)
        if args or pictures is None or kwargs.get("return_tensors") != "pt":
            return super().__call__(images, *args, **kwargs)  # type: ignore[misc]
        options = repr(sorted((name, value) for name, value in kwargs.items()))
        keys = [(_digest(picture), options) for picture in pictures]
        for key, picture in zip(keys, pictures, strict=True):
            if key not in self.remembered:
                made = super().__call__([picture], **kwargs)  # type: ignore[misc]
                type(self).processed += 1
                self.remembered[key] = (made["pixel_values"], made["image_grid_thw"])
        found = [self.remembered[key] for key in keys]
        for key in keys:
            self.remembered.move_to_end(key)
        while len(self.remembered) > KEPT:
            self.remembered.popitem(last=False)
        return BatchFeature(
            {
                "pixel_values": torch.cat([patches for patches, _ in found]),
                "image_grid_thw": torch.cat([grid for _, grid in found]),
            }
        )


def remember(processor: ProcessorMixin) -> None:
    """Have a processor keep the patches of pictures, if it is of a family whose output can be taken apart."""
    own = processor.image_processor
    if "image_grid_thw" not in getattr(own, "model_input_names", ()):
        return
    # The same name, and nothing on the instance: `save_pretrained` writes both down.
    memory = {"remembered": OrderedDict(), "processed": 0}
    own.__class__ = type(type(own).__name__, (Remembering, type(own)), memory)


def _flat(images: Any) -> list[Image.Image] | None:
    """The pictures of a list, or of a list of lists, in order; None for anything else."""
    if isinstance(images, Image.Image):
        return [images]
    if not isinstance(images, (list, tuple)):
        return None
    flat = [one for each in images for one in (each if isinstance(each, (list, tuple)) else [each])]
    return flat if flat and all(isinstance(one, Image.Image) for one in flat) else None


def _digest(picture: Image.Image) -> str:
    size = f"{picture.mode} {picture.size}".encode()
    return hashlib.blake2b(picture.tobytes(), digest_size=16, key=size[:64]).hexdigest()

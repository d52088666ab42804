"""A Qwen2.5-VL of 64 channels and two layers, with a processor, made on the spot."""

from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from scriptorium.files import write_json
from scriptorium.recipe.plan import Run
from scriptorium.train.init import ASSISTANT, CHAT_TEMPLATE, END, PAD, UNKNOWN, USER, VISION_END, VISION_START
from scriptorium.train.init import IMAGE as IMAGE_TOKEN
from scriptorium.train.init import VIDEO as VIDEO_TOKEN

VOCABULARY = 40
IMAGE = 3


def make_network(seed: int, tied: bool = True, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """A random model; its tokens 3 to 6 are for images."""
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    text = {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": VOCABULARY,
        "rope_parameters": rope,
        "tie_word_embeddings": tied,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    vision = {
        "hidden_size": 32,
        "depth": 2,
        "num_heads": 2,
        "intermediate_size": 48,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=IMAGE,
        video_token_id=4,
        vision_start_token_id=5,
        vision_end_token_id=6,
        tie_word_embeddings=tied,
    )
    torch.manual_seed(seed)
    network = Qwen2_5_VLForConditionalGeneration(config).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)  # wide enough for logits that differ from each other
    return network.eval()


SPECIAL = [PAD, END, UNKNOWN, IMAGE_TOKEN, VIDEO_TOKEN, VISION_START, VISION_END, USER, ASSISTANT]


def make_processor() -> Qwen2_5_VLProcessor:
    """A processor whose token ids are those of `make_network`."""
    letters = "abcdefghijklmnopqrstuvwxyzR ."[: VOCABULARY - len(SPECIAL)]
    words = {token: index for index, token in enumerate([*SPECIAL, *letters])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN
    )
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=784, max_pixels=784 * 16),
        video_processor=Qwen2VLVideoProcessor(),
        tokenizer=fast,
        chat_template=CHAT_TEMPLATE,
    )


def save(network: torch.nn.Module, folder: Path, **options: object) -> Path:
    """Write a model folder: weights, config, processor, prompt."""
    network.save_pretrained(folder, **options)
    write_json(folder / "prompt.json", {"adapter": "tiny", "prompt": "Read.", "sha256": "00"})
    make_processor().save_pretrained(folder)
    return folder


def logits(network: torch.nn.Module) -> torch.Tensor:
    """The logits of a fixed question about a fixed picture, [tokens, vocabulary]."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.tensor([[7, 8, 5, IMAGE, IMAGE, IMAGE, IMAGE, 6, 9, 10, 11]])
    pixels = torch.randn(16, 3 * 2 * 14 * 14, generator=generator)
    with torch.no_grad():
        return network(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == IMAGE).int(),
            pixel_values=pixels.to(next(network.parameters()).dtype),
            image_grid_thw=torch.tensor([[1, 4, 4]]),
        ).logits[0]


def stage(method: str, parents: list[str], **fields: object) -> Run:
    """A run of the weights room."""
    return Run(
        name=method, stage=method, method=method, recipe="tiny", model="tiny", parents=parents, **fields
    )

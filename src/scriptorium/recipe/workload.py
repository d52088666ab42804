"""What a page costs a model: the figures behind estimates of hours and dollars."""

from pydantic import Field

from scriptorium.recipe.typed import Typed


class Workload(Typed):
    """What one page costs a model, for estimates of time and money. Nothing that runs depends on it."""

    language_parameters: float = Field(gt=0, description="weights of the decoder's layers")
    head_parameters: float = Field(gt=0, description="weights of the head: vocabulary times width")
    vision_parameters: float = Field(ge=0, description="weights of the vision tower")
    other_parameters: float = Field(default=0, ge=0, description="embeddings and merger: memory, little work")
    image_tokens: float = Field(ge=0, description="tokens of a page's image")
    patches_per_token: float = Field(default=4, gt=0, description="patches that are merged into a token")
    prompt_tokens: float = Field(ge=0)
    answer_tokens: float = Field(gt=0)
    note: str = Field(default="", description="where the figures are from")

    @property
    def tokens(self) -> float:
        """Tokens of a page, question and answer together."""
        return self.image_tokens + self.prompt_tokens + self.answer_tokens

    @property
    def parameters(self) -> float:
        """Weights of the whole model."""
        return (
            self.language_parameters + self.head_parameters + self.vision_parameters + self.other_parameters
        )

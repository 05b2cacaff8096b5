"""How a checkpoint of sentence-transformers is opened and asked."""

from typing import Literal

from pydantic import Field

from reranksmart.values.facts import Capability
from reranksmart.values.settings import Count, Frozen


class Library(Frozen):
    """Null leaves a setting to the checkpoint."""

    opened_as: Literal["retriever", "reranker", "late_interaction"] = Field(
        description="a SentenceTransformer retrieves, a CrossEncoder re-ranks; late_interaction, a MultiVectorEncoder, "
        "re-ranks too"
    )
    trust_remote_code: bool = Field(
        False,
        description="run the Python code that the checkpoint brings along; it can do whatever you can, so read it",
    )
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(None, description="of the weights")
    truncate_dim: Count | None = Field(
        None, description="first values of an embedding that are kept, of checkpoints trained so (Matryoshka)"
    )
    query_prompt: str | None = Field(None, description="said before a caption; of a reranker, before each pair")
    document_prompt: str | None = Field(None, description="said before a picture")
    picture_is: Literal["document", "query"] = Field(
        "document", description="of a reranker's pair: the document, as when captions ask; or the query"
    )
    pixels: tuple[Count, Count] | None = Field(None, description="fewest and most pixels to which a picture is scaled")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("bi_encoder",) if self.opened_as == "retriever" else ("cross_encoder",)

"""The whole configuration, whose names must refer to what it defines."""

from pydantic import model_validator

from reranksmart.config.asked import require_answers
from reranksmart.config.keys import Keys
from reranksmart.config.references import require_names_exist
from reranksmart.config.runs import require_log_odds_for_probabilities, require_runs_possible
from reranksmart.config.tables import require_shown


class Config(Keys):
    @model_validator(mode="after")
    def _names_exist(self) -> "Config":
        require_names_exist(self)
        require_runs_possible(self)
        require_answers(self)
        return self

    @model_validator(mode="after")
    def _tables_show_all(self) -> "Config":
        require_shown(self)
        return self

    @model_validator(mode="after")
    def _judged_images_are_coco_s(self) -> "Config":
        for name, test_set in self.test_sets.items():
            dataset = self.datasets.get(test_set.dataset)
            if test_set.extended_relevance and not (dataset and dataset.numbers_captions(test_set.split)):
                raise ValueError(
                    f"test_sets.{name}.extended_relevance: {list(test_set.extended_relevance)} judge COCO's test split by the "
                    f"numbers in Karpathy's dataset_coco.json, which split {test_set.split!r} of dataset "
                    f"{test_set.dataset!r} is not read from. Leave extended_relevance out, or give that file as annotations."
                )
        return self

    @model_validator(mode="after")
    def _probabilities_come_from_log_odds(self) -> "Config":
        require_log_odds_for_probabilities(self)
        return self

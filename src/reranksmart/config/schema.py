"""The whole configuration, whose names must refer to what it defines."""

from pydantic import model_validator

from reranksmart.config.asked import require_answers, require_numbers_judged
from reranksmart.config.keys import Keys
from reranksmart.config.references import require_names_exist
from reranksmart.config.runs import require_log_odds_for_probabilities, require_runs_possible
from reranksmart.config.tables import require_shown


class Config(Keys):
    @model_validator(mode="after")
    def _can_run(self) -> "Config":
        require_names_exist(self)
        require_runs_possible(self)
        require_answers(self)
        require_shown(self)
        require_numbers_judged(self)
        require_log_odds_for_probabilities(self)
        return self

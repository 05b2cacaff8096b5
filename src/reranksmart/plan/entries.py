"""What the tables and figures of a configuration read, and what their makers need to know of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from reranksmart.config.experiments import Experiment
from reranksmart.config.schema import Config
from reranksmart.config.tables import kind_of
from reranksmart.files.code import code_digest
from reranksmart.plan.audit import audited
from reranksmart.plan.cost import retrieving_and_reranking
from reranksmart.plan.experiments import Evaluation, evaluations, models_of
from reranksmart.plan.names import audit_file, languages_read, made_model, region_folder, settings
from reranksmart.report.asked import Asked
from reranksmart.report.labels import plural
from reranksmart.report.scope import Scope
from reranksmart.values.settings import ConfigError


def entry_of(config: Config, section: str, name: str) -> Any:
    """An entry of ``tables`` or ``figures``; ConfigError where there is none of that name."""
    known = getattr(config, section)
    if name not in known:
        raise ConfigError(f"no entry of {section} is called {name!r}; there are {list(known)}")
    return known[name]


def experiments_of(config: Config, entry: Any) -> list[Experiment]:
    return [config.experiments[name] for name in getattr(entry, "experiments", ())]


def seeds_of(config: Config, entry: Any) -> tuple[int, ...]:
    """The seeds that all experiments of an entry have, so that none of its cells is a mean over others."""
    return config.seeds[: min((e.seeds or len(config.seeds) for e in experiments_of(config, entry)), default=None)]


def measured(config: Config) -> list[str]:
    """The tables of what models answer; the others are of time, claims and data."""
    return [name for name, entry in config.tables.items() if hasattr(entry, "experiments")]


def measures_without_entry(config: Config) -> list[str]:
    """The folders of measures of those experiments that no table or figure shows."""
    entries = (*config.tables.values(), *config.figures.values())
    shown = {name for entry in entries for name in getattr(entry, "experiments", ())}
    others = [experiment for name, experiment in config.experiments.items() if name not in shown]
    return [f"results/measures/{found.folder}" for found in evaluations(config, others)]


@dataclass(frozen=True)
class Places:
    """Where the files lie that an entry reads."""

    config: Config
    entry: Any

    @property
    def asked(self) -> list[Evaluation]:
        found = evaluations(self.config, experiments_of(self.config, self.entry))
        return [one for one in found if one.seed in seeds_of(self.config, self.entry)]

    def measures(self, kind: str) -> list[str]:
        return [f"results/{kind}/{found.folder}" for found in self.asked]

    def judged(self) -> list[str]:
        """What the joint models of all seeds make of hidden labels of their dev split."""
        models = {model for one in self.asked for model in models_of(self.config, one)}
        return [f"results/judged_negatives/{model}" for model in sorted(models)]

    def trained(self) -> list[str]:
        """The models of the first seed that are trained here."""
        first = (one for one in self.asked if one.seed == self.config.seeds[0])
        models = {model for one in first for model in models_of(self.config, one)}
        return [made_model(model) for model in sorted(models) if self.config.objectives[model.split("/")[2]].steps]

    def scenes(self) -> list[str]:
        """The region folders of all composed splits, whose true objects are known."""
        composed = {name: dataset for name, dataset in self.config.datasets.items() if dataset.needs_stamps}
        return [region_folder(name, split) for name, dataset in composed.items() for split in dataset.splits]

    def audits(self) -> list[str]:
        return [audit_file(training_set) for training_set in audited(self.config)]


def inputs(config: Config, section: str, name: str) -> list[str]:
    """The folders and files that a table or figure is made from."""
    entry = entry_of(config, section, name)
    return [path for reads in kind_of(section, entry).reads for path in reads.paths(Places(config, entry))]


def leaks(config: Config, section: str, name: str) -> list[str]:
    """The audits of those tests of an entry whose leak is allowed."""
    entry = entry_of(config, section, name)
    tests = [(e.training_set, e.test_set) for e in evaluations(config, experiments_of(config, entry))]
    if kind_of(section, entry).requires == "comparisons":
        tests += [(c.training_set, c.test_set) for c in config.comparisons]
    allowed = {(leak.training_set, leak.test_set) for leak in config.allowed_leaks}
    return [audit_file(training_set) for training_set in sorted({t for t, _ in allowed.intersection(tests)})]


def asked(config: Config, section: str, name: str) -> str:
    """What the maker of a table or figure needs to know of the configuration, as JSON of ``Asked``."""
    entry = entry_of(config, section, name)
    kind, experiments = kind_of(section, entry), experiments_of(config, entry)
    test_sets = _test_sets(config, kind.requires, experiments)
    systems = {name for experiment in experiments for name in experiment.systems}
    if kind.requires == "latency" and not experiments:
        systems = {name for name in [retrieving_and_reranking(config)] if name}
    backbones = list(dict.fromkeys(own for experiment in experiments for own in experiment.backbones))
    named = test_sets if kind.names_all_test_sets or kind.requires == "comparisons" else test_sets[:1]
    label = " and ".join(filter(None, (config.test_sets[test_set].label for test_set in named)))
    papers = all(getattr(config.backbones[own], "embedder", "") == kind.papers_backbone for own in backbones)
    paper = getattr(entry, "paper", "auto")
    if paper == "auto" and experiments and (label or not papers):
        paper = label if papers else None
    found = Asked(
        name=name,
        kind=entry.kind,
        settings=entry.model_dump(exclude={"kind"}),
        scope=_scope(config, experiments[0]) if experiments else None,
        title=getattr(entry, "title", None),
        about=", ".join(filter(None, (label, *(() if papers else backbones)))) if experiments else "",
        dataset=label or ", ".join(config.datasets),
        paper=paper,
        published=getattr(entry, "published", ()),
        systems=[key for key in config.systems if key in systems],
        labels=labels_of(config),
        roles=roles_of(config, systems),
        clocks=_clocks(config, systems),
        training_sets={t: config.training_sets[t].fraction for e in experiments for t in e.training_sets},
        test_sets=[(test_set, config.test_sets[test_set].label or "") for test_set in test_sets],
        words=words(config, test_sets),
        languages=languages(config, experiments[0]) if experiments else (),
        backbones=[(own, languages(config, experiments[0], own)[0]) for own in backbones] if len(backbones) > 1 else (),
        seeds=len(seeds_of(config, entry)),
        audits=leaks(config, section, name),
        planned=config.planned_evaluation.model_dump()
        if kind.requires == "planned_evaluation" and config.planned_evaluation
        else None,
    )
    return settings(asdict(found))


def _clocks(config: Config, systems: Iterable[str]) -> dict[str, str]:
    def done(name: str) -> tuple[object, ...]:
        system = config.systems[name]
        backbones = {role: backbone for role, (backbone, _) in system.roles("").items()}
        return backbones, system.normalised, system.neighbours

    timed = config.latency.systems if config.latency else ()
    found = {
        name: name if name in timed else next((t for t in timed if done(t) == done(name)), None) for name in systems
    }
    return {name: clock for name, clock in found.items() if clock}


def code(config: Config, section: str, name: str) -> str:
    """A digest of the code that makes an entry: of the verb, and of its kind alone."""
    kind = entry_of(config, section, name).kind
    verb = {"tables": "tabulate", "figures": "plot"}[section]
    return code_digest(verb, f"reranksmart.report.{section}.{kind}")


def _test_sets(config: Config, requires: str, experiments: list[Experiment]) -> list[str]:
    """The test sets that an entry is about, each once."""
    found = [test_set for experiment in experiments for test_set in experiment.test_sets]
    if requires == "comparisons":
        found += [comparison.test_set for comparison in config.comparisons]
    if requires == "latency" and config.latency and not experiments:
        found.append(config.latency.test_set)
    return list(dict.fromkeys(found))


def labels_of(config: Config) -> dict[str, str]:
    """How each system is called."""
    return {name: system.label for name, system in config.systems.items()}


def roles_of(config: Config, systems: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of each system, the model that retrieves and the one that re-ranks, where it has one."""
    roles = {name: config.systems[name].roles("") for name in systems}
    return {name: {role: "/".join(chosen) for role, chosen in own.items()} for name, own in roles.items()}


def words(config: Config, test_sets: Iterable[str]) -> dict[str, str]:
    """How each test set is called in a sentence; by nothing where it is the one of all captions without a label."""
    found = {}
    for name in test_sets:
        chosen = config.test_sets[name]
        few = plural(chosen.captions_per_image, "caption") + " an image" if chosen.captions_per_image else ""
        found[name] = ", ".join(filter(None, (chosen.label, few)))
    return found if len(set(found.values())) == len(found) else {name: said or name for name, said in found.items()}


def _scope(config: Config, experiment: Experiment) -> Scope:
    """The first of each list of an experiment: what a table is about unless it shows several."""
    return Scope(
        backbone=experiment.backbones[0],
        training_set=experiment.training_sets[-1],
        test_set=experiment.test_sets[0],
        language=languages(config, experiment)[0],
        depth=experiment.depths[0],
    )


def languages(config: Config, experiment: Experiment, backbone: str | None = None) -> tuple[str, ...]:
    """The languages in which an experiment measures a backbone, or its first one."""
    name = backbone or experiment.backbones[0]
    read = languages_read(config, name, config.test_sets[experiment.test_sets[0]].dataset)
    return read or config.backbones[name].languages  # where only other backbones read, whose own the systems name

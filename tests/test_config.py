import copy
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from jsonschema import Draft202012Validator

from reranksmart.config.validation import validated
from reranksmart.plan import cost, entries, experiments, page
from reranksmart.plan.own_files import own_files
from reranksmart.values.settings import ConfigError

ROOT = Path(__file__).parent.parent
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
DEFAULT["training_sets"]["scenes_half"] = {"dataset": "scenes", "fraction": 0.5}


def changed(path: str, value: object, base: dict = DEFAULT) -> dict:
    """The default configuration, or another, with the value at a dotted path set."""
    config = copy.deepcopy(base)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place[key]
    place[last] = value
    return config


def laid_over(base, overlay):
    """A whole configuration as it is, and one that lacks keys laid over another, as Snakemake does."""
    if not isinstance(base, dict) or not isinstance(overlay, dict) or "seeds" in overlay:
        return overlay
    return {**base, **{key: laid_over(base.get(key), value) for key, value in overlay.items()}}


def test_the_default_is_valid():
    assert validated(DEFAULT).seeds == (1, 2, 3)


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_configuration_is_whole(path):
    """None of the published configurations runs: each lacks a key that the published code reads."""
    config = validated(laid_over(DEFAULT, yaml.safe_load(path.read_text())))
    for section in ("tables", "figures"):
        for name in getattr(config, section):
            assert entries.inputs(config, section, name)
            assert json.loads(entries.asked(config, section, name))["name"] == name


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("objectives.joint.learning_rat", 1e-3, "Did you mean 'learning_rate'?"),
        ("backbones.oscar.hiden_size", 64, "Did you mean 'hidden_size'?"),
        ("bootstrapp", 10, "Did you mean 'bootstrap'?"),
        ("test_sets.test.dataset", "scene", "'scene' is not among datasets: ['scenes']. Did you mean 'scenes'?"),
        ("test_sets.test.split", "tests", "Did you mean 'test'?"),
        ("experiments.main.systems", ["sepcoop"], "Did you mean 'sep_coop'?"),
        (
            "experiments.main.depths",
            [0],
            "experiments.main.depths.0: Input should be greater than or equal to 1, got 0",
        ),
        ("seeds", [1, 1], "each seed once"),
        ("shards", {"index": 4}, "shards.index: 4 jobs are to fill index 'Flat', but only inverted lists are filled"),
        ("seeds", [], "seeds"),
        ("systems.be", {"label": "BE"}, "needs a retriever, a reranker or both"),
        ("training_sets.scenes.fraction", 1.5, "fraction: Input should be less than or equal to 1, got 1.5"),
        ("objectives.joint.schedule", ["bi_encoder", "cross_encoder", "distil"], "schedule"),
        ("objectives.bi_encoder.hard_negatives", {"refresh_every": 5}, "does not define"),
        ("objectives.cross_encoder.hard_negatives", {"refresh_every": 5}, "name in mined_by"),
        ("objectives.cross_encoder.hard_negatives", {"mined_by": "joint", "refresh_every": 5}, "give one of them"),
        ("objectives.cross_encoder.hard_negatives", {"mined_by": "bi_encode"}, "Did you mean 'bi_encoder'"),
        ("objectives.cross_encoder.hard_negatives", {"mined_by": "cross_encoder"}, "has no bi_encoder task"),
        ("experiments.main.seeds", 0, "experiments.main.seeds: Input should be greater than or equal to 1, got 0"),
        ("backbones.oscar.pretraining.split", "pretrian", "has no split 'pretrian'"),
        ("backbones.oscar.capabilities", ["bi_encoder"], "backbone 'oscar' cannot do"),
        (
            "datasets.coco",
            {"kind": "coco", "annotations": "coco.json", "splits": {"test": {}}},
            "datasets.coco: neither images nor regions are given",
        ),
        ("test_sets.test.distractors", ["scene.train"], "test_sets.test.distractors: 'scene' is not among datasets"),
        ("allowed_leaks", [{"training_set": "scenes", "test_set": "tests"}], "Did you mean 'test'?"),
        ("backbones.oscar.languages", ["ja"], "reads ['ja'], but dataset 'scenes' of test set 'test' is in ['en',"),
        (
            "experiments.main.test_sets",
            ["test", "unseen"],
            "experiments.main.test_sets, experiments.main_exhaustive.test_sets: tables.table1_main, of kind 'main', shows 1 to 2",
        ),
        (
            "experiments.depth.training_sets",
            ["scenes", "scenes_half"],
            "experiments.depth.training_sets: tables.depth, of kind 'depth', shows 1, and ['scenes', 'scenes_half'] are 2",
        ),
        ("candidates", 5, "candidates: Input should be greater than or equal to 10, got 5"),
        ("experiments.Main", {}, "experiments.Main: 'Main' is no name; a name begins with a small letter"),
        ("test_sets.2017", {"dataset": "scenes", "split": "test"}, "test_sets.2017: '2017' is no name"),
        (
            "datasets.mine",
            {"kind": "files", "splits": {"a/b": {"images": "x"}}},
            "datasets.mine.splits.a/b: 'a/b' is no name",
        ),
        ("seeds", [-1], "seeds.0: Input should be greater than or equal to 0, got -1"),
        ("objectives.joint.learning_rate", float("inf"), "learning_rate: Input should be a finite number, got inf"),
        ("experiments", {}, "experiments: "),
        ("experiments.main.systems", [], "experiments.main.systems: "),
        ("experiments.depth.depths", [20, 60], "experiments.depth.depths: 60 candidates are to be re-ranked, but"),
        ("objectives.joint.schedule", ["bi_encoder"], "leaves out ['cross_encoder'], which would never be trained"),
        ("backbones.oscar.heads", 3, "hidden_size 128 is no multiple of heads 3"),
        ("regions", {"detector": "vg", "weights": "vg", "maximum": 5}, "minimum is 10, more than maximum 5"),
        ("latency.systems", ["ce"], "latency.systems: none of ['ce'] retrieves"),
        ("tables.depth.kind", "depht", "tables.depth: 'depht' is no kind; there are ["),
        ("tables.depth.experiment", ["depth"], "unknown key 'experiment'. Did you mean 'experiments'?"),
        ("tables.depth.experiments", ["deph"], "tables.depth.experiments: 'deph' is not among experiments"),
        (
            "tables.transfer.experiments",
            ["depth"],
            "tables.transfer, of kind 'transfer', shows at least 2, and ['test']",
        ),
        ("headline", "tabel1_main", "headline: 'tabel1_main' is not among tables"),
        ("latency", None, "tables.table3_latency: kind 'latency' shows what latency asks for, which is empty"),
        ("comparisons", [], "tables.claims: kind 'claims' shows what comparisons asks for, which is empty"),
        ("datasets.scenes.stamps", "/my/st{a}mps", "datasets.scenes.stamps: the path '/my/st{a}mps' holds a brace"),
        ("depth", 7, "comparisons.0: systems are compared at depth 7"),
    ],
)
def test_a_bad_value_names_its_path_and_what_is_allowed(path, value, said):
    with pytest.raises(ConfigError) as error:
        validated(changed(path, value))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("systems", ["be", "sep_coop"], "experiments.twins.systems: ['sep_coop'] retrieve and"),
        ("test_sets", ["test"], "experiments.twins.test_sets: ['test'] are not said to be twins"),
    ],
)
def test_twins_are_told_apart_by_one_role(path, value, said):
    extended = laid_over(DEFAULT, yaml.safe_load((ROOT / "workflow/configs/extended.yaml").read_text()))
    with pytest.raises(ConfigError) as error:
        validated(changed(f"experiments.twins.{path}", value, extended))
    assert said in str(error.value)


def test_pictures_without_captions_can_be_searched_and_neither_trained_nor_measured():
    config = changed("datasets.mine", {"kind": "files", "splits": {"all": {"images": "/pictures"}}})
    config["test_sets"]["mine"] = {"dataset": "mine", "split": "all"}
    assert validated(config).datasets["mine"].splits["all"].captions is None
    for path, value in (
        ("experiments.main.test_sets", ["mine"]),
        ("training_sets.mine", {"dataset": "mine", "split": "all", "dev_split": "all"}),
    ):
        bad = copy.deepcopy(config)
        parent, name = path.rsplit(".", 1)
        place = bad
        for key in parent.split("."):
            place = place[key]
        place[name] = value
        with pytest.raises(ConfigError, match="split 'all' of dataset 'mine' has no captions"):
            validated(bad)


def test_annotations_features_and_weights_of_one_s_own_count_by_their_content(monkeypatch):
    """All paths of the paper's configuration, those that are fetched included: each can be a path of one's own."""
    monkeypatch.setattr("reranksmart.plan.own_files.SOURCE", "nothing is fetched")
    paper = yaml.safe_load((ROOT / "workflow" / "configs" / "paper.yaml").read_text())
    config = validated(laid_over(DEFAULT, paper))
    named = set(re.findall(r'"((?:source:|data/|checkpoints/)[^"]+)"', config.model_dump_json()))
    assert len(named) >= 20
    assert named <= set(own_files(config))


def test_every_fault_is_named_at_once():
    config = changed("bootstrapp", 1)
    config["candidates"] = 0
    with pytest.raises(ConfigError) as error:
        validated(config)
    assert "bootstrapp" in str(error.value)
    assert "candidates" in str(error.value)


def test_a_comparison_is_of_what_an_experiment_measures():
    first = DEFAULT["comparisons"][0]
    with pytest.raises(
        ConfigError, match=r"comparisons\.0: no experiment measures system 'sep_coop' of .*'scenes_half'"
    ):
        validated(changed("comparisons", [{**first, "training_set": "scenes_half"}]))
    config = changed("comparisons", [{**first, "test_set": "unseen"}])
    with pytest.raises(ConfigError, match=r"on test set 'unseen' on all seeds"):
        validated(config)
    config["experiments"]["transfer"]["seeds"] = None
    config["experiments"]["transfer"]["fusions"] = [{"method": "weighted", "weight": 0.5}]
    with pytest.raises(ConfigError, match=r"comparisons\.0\.fusion: 'none' is compared, .*'sep_coop'.*'weighted 0\.5'"):
        validated(config)
    config["comparisons"][0]["fusion"] = "weighted 0.5"
    assert validated(config).comparisons[0].fusion == "weighted 0.5"


def test_a_configuration_of_old_keys_learns_the_new_ones():
    with pytest.raises(ConfigError, match=r"experiments\.main: shown_as is no key .* write it into an entry of tables"):
        validated(changed("experiments.main", {**DEFAULT["experiments"]["main"], "shown_as": "main"}))
    without = {key: value for key, value in DEFAULT.items() if key not in ("tables", "figures")}
    with pytest.raises(ConfigError, match=r"tables: missing.*\{kind: main, experiments: \[main, main_exhaustive\]\}"):
        validated(without)


def described() -> ModuleType:
    spec = importlib.util.spec_from_file_location("describe_config", ROOT / "workflow/scripts/describe_config.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_system_that_is_not_timed_has_the_clock_of_one_that_does_the_same():
    changed_systems = {**DEFAULT["systems"], "pushed": {**DEFAULT["systems"]["joint_be"], "normalised": True}}
    config = validated({**changed("systems", changed_systems)} | {"experiments": with_system("main", "pushed")})
    clocks = json.loads(entries.asked(config, "figures", "accuracy_latency"))["clocks"]
    assert {name: clocks[name] for name in ("joint_be", "joint_coop", "joint_ce")} == {
        "joint_be": "be",
        "joint_coop": "joint_coop",
        "joint_ce": "ce",
    }
    assert "pushed" not in clocks


def with_system(experiment: str, system: str) -> dict[str, object]:
    own = DEFAULT["experiments"][experiment]
    return {**DEFAULT["experiments"], experiment: {**own, "systems": [*own["systems"], system]}}


def test_the_schema_and_the_page_of_keys_are_current():
    for path, text in described().texts().items():
        assert path.read_text() == text, "run python workflow/scripts/describe_config.py"


def test_shipped_configurations_fit_the_schema_and_a_misspelt_key_does_not():
    schema = Draft202012Validator(described().schema())
    for path in (ROOT / "config.yaml", *(ROOT / "workflow/configs").glob("*.yaml")):
        assert [
            error.message for error in schema.iter_errors(laid_over(DEFAULT, yaml.safe_load(path.read_text())))
        ] == [], path
    assert not schema.is_valid(changed("tables.depth.experiment", ["depth"]))


def test_an_overlay_takes_a_table_away_by_null():
    assert "claims" not in validated(changed("tables.claims", None)).tables


def test_the_name_of_a_table_and_of_an_experiment_means_nothing():
    renamed = yaml.safe_load(
        yaml.safe_dump(DEFAULT, sort_keys=False).replace("main", "plain").replace("kind: plain", "kind: main")
    )
    config = validated(renamed)
    assert config.headline_table == "table1_plain"
    made = [json.loads(entries.asked(read, "tables", read.headline_table)) for read in (config, validated(DEFAULT))]
    assert {**made[0], "name": "", "settings": {}} == {**made[1], "name": "", "settings": {}}
    assert page.example_inputs(config) == page.example_inputs(validated(DEFAULT))


def test_the_measures_of_experiments_without_an_entry_are_made_too():
    assert entries.measures_without_entry(validated(DEFAULT)) == []
    mine = {**DEFAULT["experiments"]["main"], "training_sets": ["scenes_half"], "systems": ["be"], "seeds": 1}
    found = entries.measures_without_entry(validated(changed("experiments.mine", mine)))
    assert found == ["results/measures/oscar/scenes_half/be/seed1/test"]


def test_where_a_dataset_lacks_the_first_language_the_first_that_it_has_is_shown_timed_and_compared():
    config = changed("backbones.oscar.languages", ["ja", "de", "fr"])
    read = validated(config)
    assert {found["language"] for found in json.loads(experiments.comparison_settings(read))} == {"de"}
    assert json.loads(entries.asked(read, "tables", "depth"))["scope"]["language"] == "de"
    assert json.loads(page.page_settings(read))["language"] == "de"
    roles = json.loads(cost.latency_models(read))["sep_coop"]
    assert {tuple(role["reading"]["languages"]) for role in roles.values()} == {("de", "fr")}

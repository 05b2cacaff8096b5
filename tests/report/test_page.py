import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser

from reranksmart.report.asked import Asked
from reranksmart.report.figures.latency import latency_figure
from reranksmart.report.page import render_page, shared_sentences, write_page
from reranksmart.report.paper import paper_numbers, with_paper
from reranksmart.report.pictures import Answer, Example, picture
from reranksmart.report.plots import read_plot, save_plot
from reranksmart.report.provenance import require_one_code_version
from reranksmart.report.run import _place_in_paper, flat
from reranksmart.report.summary import facts
from reranksmart.report.tables.claims import claims_table
from reranksmart.report.tables.main import main_table
from reranksmart.report.times import steps

SETTINGS = {"steps": 400, "bi_encoder": {"loss": "infonce", "margin": 0.1}, "distillation": None, "schedule": []}
VOID = {"meta", "img", "input", "br", "hr", "link"}


class Outline(HTMLParser):
    """Tags and ids as a browser would see them; fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(
    measures: pd.DataFrame,
    latency: pd.DataFrame,
    comparisons: pd.DataFrame,
    asked: Asked,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    folder = tmp_path_factory.mktemp("page")
    for name, size in (("a", (416, 416)), ("b", (300, 150))):
        Image.new("RGB", size, "salmon").save(folder / f"{name}.png")
    save_plot(latency_figure(latency, Asked(name="latency")), folder)
    table = with_paper(main_table(measures, asked), paper_numbers())
    answers = (
        Answer(1, 0.8, False, picture(folder / "a.png", [[0.1, 0.2, 0.5, 0.9]])),
        Answer(2, 0.7, True, picture(folder / "b.png")),
    )
    shown_first = Example("<script>alert(1)</script> a goat", answers, answers[::-1], before_label="BE")
    texts = (Answer(1, 2.0, True, text="Koza & hrozen"),)
    shown = Example("Which captions?", texts, texts, query_picture=picture(folder / "a.png"))
    return render_page(
        title="A report",
        facts=facts(table, asked.roles),
        facts_label="IR R@1",
        headline=["Coop wins."],
        claims=["Does it always? Sep+Coop against BE: +9.0."],
        tables=[table, claims_table(comparisons.assign(fusion="calibrated pairs 3"), replace(asked, name="claims"))],
        figures=[read_plot(folder / "latency.txt")],
        examples=[shown_first, shown],
        method=["One paragraph."],
        trainings=[{"setting": key, "joint": value} for key, value in flat(SETTINGS).items()],
        provenance=[{"verb": "train", "code": "abc"}, {"verb": "encode", "seed": 1}],
    )


def test_page_is_well_formed_and_ids_are_unique(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    for tag, attributes in outline.tags:
        assert tag not in ("link", "script", "iframe")
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:", "figures/")), (tag, value)
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))


def test_every_reference_inside_the_page_has_its_target(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    asked = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert asked <= set(outline.ids)


def test_what_three_captions_say_alike_is_said_once() -> None:
    captions = [["In percent. Own to a. n = 5 images."], ["In percent. n = 5 images."], ["In percent. n = 6 images."]]
    assert shared_sentences(captions) == ["In percent."]


def test_text_of_a_query_is_never_markup(page: str) -> None:
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; a goat" in page
    assert "Koza &amp; hrozen" in page


def test_pictures_have_alternatives_regions_and_marks_for_right_answers(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    pictures = [attributes for tag, attributes in outline.tags if tag == "img"]
    assert len(pictures) == 5
    assert all(attributes["alt"] for attributes in pictures)
    assert page.count(", a right answer") == 2
    assert page.count('x="0.1000" y="0.2000" width="0.4000" height="0.7000"') == 4  # drawn twice, before and after
    assert page.count("right answer</span>") == 4


def test_page_shows_the_papers_value_beside_ours_where_it_is_known(page: str) -> None:
    assert "paper –" not in page
    assert "A value of the paper that is not shown is not known to this project." in page
    assert re.search(
        r'<strong>87\.0</strong><span class="interval">\[85\.5, 88\.5\]</span><span class="paper">paper 52\.8</span>',
        page,
    )


def test_the_findings_stand_open_and_each_test_behind_one_click(page: str) -> None:
    summary, folded = page.split('<section aria-labelledby="examples">')[0].split("<details>")
    assert "<li>Coop wins.</li>" in summary
    assert "<li>Does it always? Sep+Coop against BE: +9.0.</li>" in folded


def test_page_shows_what_each_training_was_set_to_by_its_keys(page: str) -> None:
    shown = page.split("Settings of each training")[1]
    cells = re.findall(r'<td class="words">(.*?)</td>', shown)
    assert cells == ["steps", "400", "bi_encoder.loss", "infonce", "bi_encoder.margin", "0.1"]


def test_page_works_on_a_phone_in_the_dark_and_by_keyboard(page: str) -> None:
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert ":focus-visible" in page
    outline = Outline()
    outline.feed(page)
    scrolling = [attributes for _, attributes in outline.tags if attributes.get("class") in ("scroll", "drawing")]
    assert scrolling
    assert all(attributes.get("tabindex") == "0" for attributes in scrolling)


@pytest.mark.slow
def test_on_a_phone_tables_scroll_alone_beside_narrow_labels(page: str, browser: Browser) -> None:
    shown = browser.new_page(viewport={"width": 390, "height": 844})
    shown.set_content(page)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    widths = [label.bounding_box()["width"] for label in shown.locator("tbody th[scope=row]").all()]
    assert len(widths) == 12 + 9
    assert max(widths) <= 390 / 2.5
    assert shown.get_by_text("swipe sideways for more columns").first.is_visible()
    shown.close()


def test_a_missing_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.png is missing"):
        picture(tmp_path / "gone.png")


def test_page_is_written_whole(page: str, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", page)
    assert (tmp_path / "report.html").read_text() == page


def test_code_versions_may_not_mix_within_one_verb() -> None:
    train = {"verb": "train", "package": "1.0.0", "code": "a"}
    require_one_code_version({"x": train, "y": train, "z": {**train, "verb": "encode", "code": "b"}})
    with pytest.raises(ValueError, match=r"2 versions.*y"):
        require_one_code_version({"x": train, "y": {**train, "code": "b"}})


def test_a_picture_from_a_camera_held_on_its_side_stands_upright_under_its_boxes(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise
    Image.new("RGB", (80, 60), "salmon").save(tmp_path / "p.jpg", exif=exif)
    shown = picture(tmp_path / "p.jpg", [(0, 0, 0.5, 1)])
    assert shown.aspect == pytest.approx(80 / 60)


def test_the_page_says_what_each_step_took_the_longest_first(tmp_path: Path) -> None:
    for path, seconds, memory in (("train/a", 90, "800.5"), ("train/b", 30, "-"), ("report", 6, "100")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / f"{path}.tsv").write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:01:00\t{memory}\n")
    found = steps(tmp_path)
    assert [tuple(row.values()) for row in found] == [
        ("train", "2", "2 min", "90 s", "800"),
        ("report", "1", "6 s", "6 s", "100"),
    ]
    shown = render_page(title="A run", steps=found)
    assert re.findall(r"<td>(.*?)</td>", shown)[:3] == ["train", "2", "2 min"]


def test_tables_stand_in_the_paper_s_order_then_as_configured() -> None:
    titles = ("Transfer", "Table 8: depth", "Table 10: more", "Audit", "Table 3: latency")
    tables = [SimpleNamespace(title=title) for title in titles]
    assert [each.title for each in sorted(tables, key=_place_in_paper)] == [
        "Table 3: latency",
        "Table 8: depth",
        "Table 10: more",
        "Transfer",
        "Audit",
    ]

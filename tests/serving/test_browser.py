"""The page in a real browser, as hands and eyes meet it. Needs Debian's chromium (apt-get install chromium)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reranksmart.searching import Searcher
from reranksmart.serving.app import create_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(searcher: Searcher, served: Callable[..., AbstractContextManager[int]]) -> Iterator[str]:
    """Where the real server answers."""
    with served(create_app(searcher)) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened; afterwards it must have asked nobody else and raised nothing."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.get_by_text("16 pictures. Ask").wait_for()
    yield page
    assert [url for url in requests if not url.startswith((address, f"blob:{address}"))] == []
    assert errors == []
    page.close()


def ask(page: Page, text: str) -> None:
    page.get_by_label("What to look for").fill(text)
    page.keyboard.press("Enter")
    page.locator("#reranked li").first.wait_for()


def names(page: Page, stage: str) -> list[str]:
    return [entry.get_attribute("data-id") or "" for entry in page.locator(f"#{stage} li").all()]


def test_a_typed_text_shows_both_lists_what_moved_and_the_times(page: Page, searcher: Searcher) -> None:
    ask(page, "a red rectangle")
    expected = searcher.search("a red rectangle", k=20, top=12)
    assert names(page, "retrieved") == [hit.id for hit in expected.retrieved]
    assert names(page, "reranked") == [hit.id for hit in expected.reranked]
    for hit, entry in zip(expected.reranked, page.locator("#reranked li").all(), strict=True):
        told = "stays" if hit.rank == hit.retrieved_rank else f"from {hit.retrieved_rank}"
        assert told in entry.inner_text()
    stages = page.locator("#times dt").all_inner_texts()
    assert stages == ["encode query", "search", "score pairs", "together"]
    page.wait_for_function("[...document.querySelectorAll('#lists img')].every(image => image.naturalWidth === 256)")


def test_the_start_shows_examples_and_the_index_and_an_empty_query_returns_to_it(page: Page) -> None:
    assert page.title() == "pictures: picture search"
    assert page.get_by_role("heading", level=1).inner_text() == "Search “pictures”"
    assert page.locator("#examples li").count() == 12
    page.locator("#tries button").first.click()
    page.locator("#reranked li").first.wait_for()
    assert not page.locator("#start").is_visible()
    page.get_by_label("What to look for").fill(" ")
    page.keyboard.press("Enter")
    page.locator("#start").wait_for()
    assert not page.locator("#lists").is_visible()


def test_each_question_is_an_entry_of_the_history(page: Page, address: str) -> None:
    ask(page, "gold")
    first = names(page, "reranked")
    ask(page, "a red ellipse")
    page.wait_for_function("document.title.startsWith('a red ellipse')")
    page.go_back()
    page.wait_for_function("document.title.startsWith('gold')")
    page.get_by_text("answers;").wait_for()
    assert names(page, "reranked") == first
    assert page.locator("#text").input_value() == "gold"
    page.go_back()
    page.locator("#start").wait_for()
    assert page.url == address
    page.go_forward()
    page.locator("#reranked li").first.wait_for()


def test_an_answer_opens_large_with_its_scores_and_finds_pictures_like_it(page: Page, searcher: Searcher) -> None:
    ask(page, "a red rectangle")
    best = searcher.search("a red rectangle", k=20, top=12).reranked[0]
    page.locator("#reranked li").first.click()
    large = page.locator("#large")
    assert large.locator("h2").inner_text() == best.picture.name
    assert large.locator("#large-path").input_value() == str(best.picture)
    told = large.locator("dl").inner_text()
    assert f"log-odds {best.log_odds:.2f}".replace(" -", " −") in told
    assert f"cosine {best.cosine:.3f}".replace(" -", " −") in told
    assert large.get_by_role("button", name="Close").evaluate("button => button === document.activeElement")
    page.wait_for_function("document.querySelector('#large img').naturalWidth === 160")
    page.keyboard.press("Escape")
    page.locator("#retrieved li").first.focus()
    page.keyboard.press("Enter")
    large.get_by_role("button", name="Pictures like it").click()
    page.get_by_text("most alike first").wait_for()
    assert names(page, "retrieved")[0] != best.id
    assert page.locator("#reranked li").count() == 0


def test_more_is_shown_on_demand(page: Page) -> None:
    ask(page, "a red rectangle")
    page.get_by_role("button", name="Show more").click()
    page.get_by_text("16 answers;").wait_for()
    assert page.locator("#more-line").is_hidden()


def test_words_without_a_meaning_are_named(page: Page) -> None:
    ask(page, "a red 猫")
    assert "The model has no word for “猫”" in page.locator("#status").inner_text()


def test_the_slider_changes_the_depth(page: Page) -> None:
    ask(page, "a red rectangle")
    slider = page.get_by_label("Re-rank the first")
    slider.focus()
    page.keyboard.press("Home")
    page.get_by_text("1 candidates re-ranked").wait_for()
    assert names(page, "retrieved") == names(page, "reranked")
    assert page.locator("#reranked li.beyond").count() == 11
    page.keyboard.press("ArrowRight")
    page.get_by_text("2 candidates re-ranked").wait_for()
    assert page.locator("#reranked li.beyond").count() == 10


def test_everything_is_reached_by_the_keyboard(page: Page) -> None:
    ask(page, "a gold ellipse")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#lists li') !== null"):
            break
    first, second = page.locator("#retrieved li").nth(0), page.locator("#retrieved li").nth(1)
    assert first.evaluate("entry => entry === document.activeElement")
    page.keyboard.press("ArrowDown")
    assert second.evaluate("entry => entry === document.activeElement")
    page.keyboard.press("ArrowRight")
    assert page.locator("#reranked li").nth(1).evaluate("entry => entry === document.activeElement")
    page.keyboard.press("/")
    assert page.locator("#text").evaluate("field => field === document.activeElement")


def test_regions_show_where_one_points_in_both_lists(page: Page, searcher: Searcher) -> None:
    ask(page, "a red rectangle")
    page.get_by_label("Re-rank the first").focus()
    entry = page.locator("#reranked li").first
    image_id = entry.get_attribute("data-id") or ""
    entry.hover()
    entry.locator("svg").wait_for()
    assert entry.locator("rect.over").count() == len(searcher.regions_of(image_id)[0].boxes)
    both = page.locator(f'#lists li[data-id="{image_id}"]')
    assert page.locator("#lists li.same").count() == both.count()
    page.mouse.move(5, 5)
    page.wait_for_function("document.querySelectorAll('#lists svg').length === 0")


def test_a_picture_finds_captions_and_a_script_in_one_is_only_text(page: Page, picture: Path) -> None:
    page.set_input_files("#file", picture)
    page.locator("#reranked.texts li").first.wait_for()
    assert page.locator("#asked img").is_visible()
    page.get_by_label("Re-rank the first").focus()
    shown = [text for stage in ("retrieved", "reranked") for text in page.locator(f"#{stage} .text").all_inner_texts()]
    assert len(shown) == 24
    assert page.locator("#lists script, #lists [onerror]").count() == 0
    assert page.title() == "Your picture – pictures"


def test_a_script_as_a_caption_is_shown_letter_by_letter(page: Page, picture: Path) -> None:
    script = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    hit = {"id": "a", "text": script, "retrieved_rank": 1, "rank": 1, "cosine": 0.5, "log_odds": 1.0, "row": 0}
    answer = {
        "direction": "image-to-text",
        "depth": 1,
        "retrieved": [hit],
        "reranked": [hit],
        "times_ms": {"search": 1},
    }
    page.evaluate("found => show(found)", {**answer, "batch_size": 1})
    assert page.locator("#reranked .text").inner_text() == script
    assert page.locator("#lists script, #lists [onerror]").count() == 0
    assert page.title() == "pictures: picture search"


def test_a_file_that_is_no_picture_is_told_and_the_page_goes_on(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    page.set_input_files("#file", tmp_path / "notes.png")
    page.get_by_text("That is no whole picture").wait_for()
    assert not page.locator("#asked").is_visible()
    ask(page, "a red rectangle")
    assert page.locator("#reranked li").count() == 12


def test_a_depth_in_the_address_that_is_no_number_is_left_out(page: Page, address: str) -> None:
    page.goto(f"{address}?text=gold&k=many")
    page.locator("#reranked li").first.wait_for()
    assert page.locator("#depth").input_value() == "17"  # the default of 20, cut to the captions that there are


def test_a_server_that_is_gone_is_told(page: Page) -> None:
    page.context.set_offline(True)
    page.get_by_label("What to look for").fill("gold")
    page.keyboard.press("Enter")
    page.get_by_text("is `reranksmart serve` still running?").wait_for()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    ask(page, "a red rectangle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    left, right = (page.locator(f"#{stage} li").first.bounding_box() for stage in ("retrieved", "reranked"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert abs(left["y"] - right["y"]) < 2
    page.locator("#reranked li").first.click()
    page.get_by_role("button", name="Close").click()
    assert not page.locator("#large").is_visible()

"""What the HTML page does in a browser: places, folds, finds, and can be used without a mouse."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sketches
from browser import Browser, browser, needs_chromium
from contrast import ENOUGH, contrast
from test_draw_page import NET, RESIDUAL, graphs, page_of

import netcfg
from netcfg.compare.picture import difference_picture
from netcfg.compare.programs import compare
from netcfg.draw import Look, Picture, picture
from netcfg.draw.data import diagram_data
from netcfg.draw.marks import LOOKS
from netcfg.draw.scene import groups_of
from netcfg.draw.training.picture import training_picture

__all__ = ["browser"]
pytestmark = needs_chromium

CFG = Path(__file__).resolve().parents[2] / "cfg"
PLACES = "Object.fromEntries([...netcfg.drawing.parts].map(([id, {x, y, w, h}]) => [id, [x, y, w, h]]))"
CHOSEN = "netcfg.chosen"
FOCUSED = "document.activeElement.dataset.node"
PANEL = "document.querySelector('#panel').hidden ? null : document.querySelector('#about').innerText"


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(picture(graphs(), title="net.cfg"))


def parts(browser: Browser) -> dict[str, list[float]]:
    return browser.evaluate(PLACES)


def expect_order(places: dict[str, list[float]]) -> None:
    """No two parts overlap, unless one is in the other."""
    rows = [place for id, place in places.items() if id != "Net"]
    for index, (x, y, w, h) in enumerate(rows):
        for ox, oy, ow, oh in rows[index + 1 :]:
            apart = x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y
            within = x <= ox and y <= oy and ox + ow <= x + w and oy + oh <= y + h
            assert apart or within


# --- places


DOWN, RIGHT = Look(columns=1), Look(columns=1, direction="left-right")


@pytest.mark.parametrize(
    ("name", "look"),
    [
        *((name, DOWN) for name in sketches.ALL),
        *((name, look) for name in sketches.ALL for look in (Look(), Look(columns=3))),
        *((name, Look(direction="left-right")) for name in sketches.ALL),
        *((name, Look(direction="left-right", columns=4)) for name in ("unet", "resnet18", "taps")),
        *((name, RIGHT) for name in ("inception", "nested_repeats", "two_streams_templates", "taps")),
        ("repeats", Look(columns=1, depth=0)),
        ("nested_repeats", Look(columns=1, depth=1, heat="macs")),
        ("repeats", Look(columns=1, heat="parameters")),
        ("resnet18", Look(columns=1, depth=0, labels=("shape", "macs"))),
    ],
)
def test_the_page_places_parts_as_the_pictures_do(browser: Browser, name: str, look: Look) -> None:
    drawn = picture([sketches.ALL[name]()], look=look)
    browser.open(page_of(drawn))
    found = parts(browser)
    data = diagram_data("", drawn.diagrams, drawn.scene)["diagrams"][0]
    wanted = {part["id"]: part["place"] for part in [data, *data["frames"], *data["nodes"]]}
    assert set(found) == set(wanted)
    left, top = data["place"][:2]
    for id, (x, y, width, height) in wanted.items():
        assert found[id] == pytest.approx([x - left, y - top, width, height], abs=0.011), id
    assert browser.problems == []


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("unet", DOWN),
        ("unet", Look(columns=3)),
        ("two_streams", Look(columns=3)),
        ("vgg16", Look(columns=4)),
        ("many_gates", Look(direction="left-right", columns=2)),
    ],
)
def test_lines_run_as_those_of_the_pictures(browser: Browser, name: str, look: Look) -> None:
    drawn = picture([sketches.ALL[name]()], look=look)
    browser.open(page_of(drawn))
    found = browser.evaluate(
        "[...document.querySelectorAll('.line path')].map((path) => path.getAttribute('d'))"
    )
    from netcfg.draw.svg import write_svg

    data = diagram_data("", drawn.diagrams, drawn.scene)["diagrams"][0]
    left, top = data["place"][:2]
    wanted = re.findall(r'<path d="(M[^"]*)" stroke="#54616f"', write_svg(drawn.scene))

    def numbers(path: str) -> list[float]:
        return [float(text) for text in re.findall(r"-?[\d.]+", path)]

    moved = [
        [value - (top if place % 2 else left) for place, value in enumerate(numbers(path))] for path in wanted
    ]
    assert [numbers(path) for path in found] == [pytest.approx(path, abs=0.02) for path in moved]


# --- folds


def test_a_template_folds_into_a_box_and_back(browser: Browser, page: str) -> None:
    browser.open(page)
    before = parts(browser)
    browser.click('[data-node="Net.one"] > .header .chip[data-action="fold"]')
    folded = parts(browser)
    assert set(before) - set(folded) == {id for id in before if id.startswith("Net.one.")}
    assert folded["Net.one"][3] < before["Net.one"][3]
    assert folded["Net"][3] == pytest.approx(before["Net"][3] - before["Net.one"][3] + folded["Net.one"][3])
    expect_order(folded)
    browser.click('[data-node="Net.one"] .chip')
    assert parts(browser) == before


def test_a_repeat_unfolds_into_its_turns(browser: Browser, page: str) -> None:
    browser.open(page)
    before = parts(browser)
    assert "Net.two.0.down" in before
    assert "Net.two.1.down" not in before
    browser.click('[data-node="Net.two"] > .header .chip[data-action="turns"]')
    after = parts(browser)
    assert {"Net.two.0", "Net.two.1", "Net.two.1.rest.0.conv1"} <= set(after)
    expect_order(after)
    browser.click('[data-node="Net.two.1.rest"] > .header .chip[data-action="turns"]')
    assert {"Net.two.1.rest.2.conv1", "Net.two.0.rest.0.conv1"} <= set(parts(browser))
    assert "Net.two.0.rest.1.conv1" not in parts(browser)


def test_a_run_of_equal_boxes_unfolds(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.click('[data-node="Net.2"] .chip')
    assert {"Net.2", "Net.3"} <= set(parts(browser))
    assert browser.evaluate("netcfg.drawing.parts.get('Net.3').is") == "box"


@pytest.mark.parametrize(
    "name", ["resnet18", "nested_repeats", "two_streams_templates", "two_way_template", "taps"]
)
def test_folding_and_unfolding_everything_keeps_order(browser: Browser, name: str) -> None:
    browser.open(page_of(picture([sketches.ALL[name]()])))
    first = parts(browser)
    for keys in ("c", "e", "r"):
        browser.press(keys)
        places = parts(browser)
        expect_order({id: place for id, place in places.items() if "." in id})
        if keys == "e":
            assert places == first
    assert browser.problems == []


def test_a_fold_stays_where_it_is_on_the_screen(browser: Browser, page: str) -> None:
    browser.open(page)
    top = "document.querySelector('[data-node=\"Net.two\"]').getBoundingClientRect().top"
    before = browser.evaluate(top)
    browser.click('[data-node="Net.two"] > .header .chip[data-action="fold"]')
    assert browser.evaluate(top) == pytest.approx(before, abs=2)


# --- finding


def test_enter_goes_through_the_hits_and_unfolds_what_hides_them(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.press("c")
    browser.press("/", *"down")
    assert browser.evaluate("document.querySelector('#found').textContent") == "2"
    browser.press("Enter")
    assert browser.evaluate(CHOSEN) == "Net.one.down"
    browser.press("Enter")
    assert browser.evaluate(CHOSEN) == "Net.two.0.down"
    browser.press("Enter", shift=True)
    assert browser.evaluate(CHOSEN) == "Net.one.down"
    assert browser.evaluate("document.activeElement.id") == "query"


def test_options_and_turns_can_be_searched_for(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.press("/", *"stride = 2")
    assert browser.evaluate("document.querySelector('#found').textContent") == "2"
    browser.evaluate("netcfg.search('two.1.rest.2.conv2')")
    browser.evaluate("netcfg.nextHit(1)")
    assert browser.evaluate(CHOSEN) == "Net.two.1.rest.2.conv2"


# --- the panel


def test_the_panel_tells_all_of_a_block(browser: Browser, page: str) -> None:
    browser.open(page)
    browser.click('[data-node="Net.one.down"]')
    text = browser.evaluate(PANEL)
    for row in (
        "[convolutional] one.down",
        "8×16×16",
        "72",
        "kernel_size\t1",
        "stride\t2",
        "pad\t0 default",
        "in the expansion of `stage`",
    ):
        assert row in text, text
    assert browser.evaluate("document.querySelector('#about pre.source').textContent").startswith(
        "19[convolutional]\n20name = down\n"
    )
    assert "Net.one.rest" in text
    browser.press("Escape")
    assert browser.evaluate(PANEL) is None
    assert browser.evaluate(FOCUSED) == "Net.one.down"


def test_the_panel_of_a_frame_adds_up(browser: Browser, page: str) -> None:
    browser.open(page, "Net.two")
    browser.press("Enter")
    (graph,) = graphs()
    inside = [node for node in graph.nodes if node.path.startswith("two.")]
    text = browser.evaluate(PANEL).replace("\u202f", "")
    assert f"parameters\n{sum(node.parameters for node in inside)}" in text
    assert f"MACs per sample\n{sum(node.macs for node in inside)}" in text


def test_the_panel_of_a_network_says_its_name_once(browser: Browser, page: str) -> None:
    browser.open(page, "Net")
    browser.press("Enter")
    assert browser.evaluate(PANEL).splitlines().count("Net") == 1


def test_a_link_in_the_panel_leads_on(browser: Browser, page: str) -> None:
    browser.open(page, "Net.one.down")
    browser.press("Enter")
    browser.click("#about .wires a")
    assert browser.evaluate(CHOSEN).startswith("Net.one.rest")


# --- keys and pointers


def test_arrows_follow_the_wires(browser: Browser, page: str) -> None:
    browser.open(page, "Net.input")
    browser.press("ArrowDown")
    assert browser.evaluate(FOCUSED) == "Net.one.rest.0.conv1"
    browser.press("ArrowDown", "ArrowDown", "ArrowUp")
    assert browser.evaluate(FOCUSED) == "Net.one.rest.0.conv2"
    browser.press("ArrowRight")
    assert browser.evaluate(FOCUSED) == "Net.one.rest.0.2"


def test_a_reader_without_a_mouse_gets_in_and_folds(browser: Browser, page: str) -> None:
    browser.open(page, "Net.one")
    browser.press(" ")
    assert browser.evaluate("netcfg.drawing.parts.get('Net.one').is") == "box"
    assert browser.evaluate(FOCUSED) == "Net.one"
    assert browser.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    browser.press(" ")
    assert browser.evaluate("netcfg.drawing.parts.get('Net.one').is") == "frame"
    browser.press("?")
    assert browser.evaluate("document.querySelector('#help').open")
    browser.press("Escape")
    assert not browser.evaluate("document.querySelector('#help').open")


def test_tab_goes_through_the_page_and_out_of_the_diagram(browser: Browser, page: str) -> None:
    browser.open(page, "Net.one.down")
    browser.press("Enter", "Escape")
    assert browser.evaluate(FOCUSED) == "Net.one.down"
    browser.press("Tab", shift=True)
    assert browser.evaluate("document.activeElement.dataset.do") == "help"
    browser.press("Tab")
    assert browser.evaluate(FOCUSED) == "Net.one.down"
    browser.evaluate("netcfg.toggle('Net.two')")
    assert browser.evaluate("netcfg.element('Net.one.down').tabIndex") == 0


def test_drag_moves_and_the_wheel_zooms_about_the_pointer(browser: Browser, page: str) -> None:
    browser.open(page)
    view = "[netcfg.x, netcfg.y, netcfg.scale]"
    browser.press("0")
    x, y, scale = browser.evaluate(view)
    browser.drag((100, 500), (160, 460))
    assert browser.evaluate(view) == pytest.approx([x + 60, y - 40, scale])
    browser.wheel((300, 300), (0, -120))
    x2, y2, larger = browser.evaluate(view)
    assert larger > scale
    top = browser.evaluate("document.querySelector('#stage').getBoundingClientRect().top")
    assert (300 - x2) / larger == pytest.approx((300 - x - 60) / scale)
    assert (300 - top - y2) / larger == pytest.approx((300 - top - y + 40) / scale)
    browser.wheel((300, 300), (3, 8))
    assert browser.evaluate(view) == pytest.approx([x2 - 3, y2 - 8, larger])
    browser.press("0")
    assert browser.evaluate(view) == pytest.approx([x, y, scale])


def test_light_and_dark(browser: Browser, page: str) -> None:
    paper = "getComputedStyle(document.querySelector('.network rect')).fill"
    browser.open(page, dark=True)
    assert browser.evaluate(paper) == "rgb(29, 29, 29)"
    browser.press("t")
    assert browser.evaluate(paper) == "rgb(255, 255, 255)"
    browser.open(page)
    assert browser.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_arrows_turn_with_the_direction(browser: Browser) -> None:
    browser.open(page_of(picture(graphs(), look=RIGHT)), "Net.input")
    browser.press("ArrowRight")
    assert browser.evaluate(FOCUSED) == "Net.one.rest.0.conv1"


def test_a_training_step_is_shown_as_it_is(browser: Browser) -> None:
    program = netcfg.load(CFG / "audetnet_general.cfg")
    drawn = training_picture(program)
    browser.open(page_of(drawn))
    assert browser.evaluate("document.querySelector('[data-do=\"fold\"]').hidden")
    found = parts(browser)
    assert found["audetnet_general.cfg.Encoder"] == pytest.approx(
        place_in(drawn, "audetnet_general.cfg.Encoder")
    )
    browser.click('[data-node="audetnet_general.cfg.z1"]')
    assert "[select_subset] z1" in browser.evaluate(PANEL)
    browser.press("ArrowLeft")
    assert browser.evaluate(FOCUSED) == "audetnet_general.cfg.Encoder"
    assert browser.problems == []


def test_columns_that_were_asked_for_are_kept(browser: Browser) -> None:
    drawn = picture(graphs(), look=Look(columns=2))
    browser.open(page_of(drawn))
    expect_places_of(browser, drawn)
    browser.press("c", "e")
    expect_places_of(browser, drawn)
    assert browser.problems == []


@pytest.mark.parametrize(
    "name",
    [
        "aunet_of_fc6.cfg",
        "audetnet.cfg",
        "aunet_of_vertical.cfg",
        "emotion_fan_relation.cfg",
        "zoo/vit_b_16.cfg",
    ],
)
@pytest.mark.parametrize("direction", ["top-down", "left-right"])
def test_long_networks_fold_into_columns_as_in_the_picture(
    browser: Browser, name: str, direction: str
) -> None:
    for graph in netcfg.load(CFG / name).networks.values():
        drawn = picture([graph], look=Look(direction=direction))
        browser.open(page_of(drawn))
        expect_places_of(browser, drawn)


def expect_places_of(browser: Browser, drawn: Picture) -> None:
    """The parts of a page's only network stand as in the picture, from its network's corner on."""
    found = parts(browser)
    (network,) = drawn.diagrams
    left, top, *_ = place_in(drawn, network.frame.name) or (0, 0)
    for group in groups_of(drawn.scene.shapes):
        if group.place:
            x, y, width, height = group.place
            assert found[group.id] == pytest.approx([x - left, y - top, width, height], abs=0.011), group.id


def place_in(drawn: Picture, id: str) -> tuple[float, float, float, float] | None:
    return next(group.place for group in groups_of(drawn.scene.shapes) if group.id == id)


def test_a_difference_is_marked(browser: Browser) -> None:
    before = netcfg.load(RESIDUAL + NET)
    after = netcfg.load(
        (RESIDUAL + NET).replace("kernel_size = 1\nstride = 2", "kernel_size = 3\npad = 1\nstride = 2")
    )
    drawn = difference_picture(compare(before, after))
    browser.open(page_of(drawn))
    assert browser.evaluate("document.querySelector('#legend').textContent") == "~ changed"
    edge = "document.querySelector('[data-node=\"Net.one.down\"] rect').getAttribute('stroke')"
    assert browser.evaluate(edge) == LOOKS["changed"].colour
    browser.click('[data-node="Net.one.down"]')
    assert "changed: kernel_size 1" in browser.evaluate(PANEL)
    browser.press("c")
    folded = "document.querySelector('[data-node=\"Net.one\"] rect').getAttribute('stroke')"
    assert browser.evaluate(folded) == LOOKS["changed"].colour
    assert browser.problems == []


def test_the_bar_is_one_row_where_there_is_room(browser: Browser) -> None:
    text = RESIDUAL + "".join(NET.replace("{Net}", f"{{{name}}}") for name in ("Net", "Image Discriminator"))
    browser.open(page_of(picture(graphs(text), title="audetnet.cfg")))
    assert browser.evaluate("document.querySelector('#bar').offsetHeight") < 50


def test_several_networks_share_a_page(browser: Browser) -> None:
    text = RESIDUAL + NET + NET.replace("{Net}", "{Other}")
    browser.open(page_of(picture(graphs(text))))
    assert {"Net.one.down", "Other.one.down"} <= set(parts(browser))
    browser.evaluate("document.querySelector('#networks').value = 'Other'")
    browser.evaluate("document.querySelector('#networks').dispatchEvent(new Event('change'))")
    browser.settle()
    box = browser.evaluate(
        "(({left, right}) => [left, right])(document.querySelector('[data-node=\"Other\"]').getBoundingClientRect())"
    )
    assert sum(box) / 2 == pytest.approx(600, abs=3)


def test_strange_names_are_only_text(browser: Browser) -> None:
    name = 'N</script> & "x" <img src=x onerror=alert(1)>'
    browser.open(page_of(picture(graphs((RESIDUAL + NET).replace("Net", name)), title="</title><b>")))
    assert browser.evaluate("document.querySelectorAll('img, b').length") == 0
    browser.evaluate("netcfg.choose(netcfg.data.networks[0].id, true)")
    assert name in browser.evaluate(PANEL)
    assert browser.problems == []


# --- differences

PAIR = "{Define pair}\n" + 2 * "[convolutional]\nfilters = 4\nkernel_size = 3\npad = True\n"
PLAIN = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[pair]\nname = one\n[pair]\nname = two\n"


def difference_page(before: str, after: str) -> str:
    return page_of(difference_picture(compare(netcfg.load(before), netcfg.load(after))))


def facts(browser: Browser) -> str:
    return str(browser.evaluate(PANEL)).replace("\u202f", "")


def test_sums_of_a_difference_leave_out_what_was_removed(browser: Browser) -> None:
    other = PAIR.replace("[convolutional]", "[dropout]\n[convolutional]", 1).rpartition("[convolutional]")[0]
    before, after = PAIR + PLAIN, other + PLAIN
    (old,), (new,) = netcfg.load(before).networks.values(), netcfg.load(after).networks.values()
    browser.open(difference_page(before, after), "Net.one")
    browser.press("Enter")
    inside = sum(node.parameters for node in new.nodes if node.path.startswith("one."))
    assert f"boxes\n2\nparameters\n{inside}\n" in facts(browser)
    browser.evaluate("netcfg.choose('Net', true)")
    assert f"parameters\n{new.parameters}\n" in facts(browser)
    assert f"parameters before\n{old.parameters}\n" in facts(browser)
    assert browser.problems == []


def test_added_and_removed_are_words_in_panel_label_and_search(browser: Browser) -> None:
    before, after = PLAIN + "[dropout]\nname = gone\n", PLAIN + "[flatten]\nname = new\n"
    browser.open(difference_page(PAIR + before, PAIR + after))
    for id, word in (("Net.new", "added"), ("Net.removed.gone", "removed")):
        browser.evaluate(f"netcfg.choose('{id}', true)")
        assert f"\n{word}\n" in browser.evaluate(PANEL)
        assert word in browser.evaluate(f"netcfg.element('{id}').getAttribute('aria-label')").split(", ")
        browser.evaluate(f"netcfg.search('{word}')")
        assert browser.evaluate("netcfg.hits") == [id]


def test_a_folded_box_explains_its_colour(browser: Browser) -> None:
    after = PAIR.replace("filters = 4", "filters = 5", 1) + "[dropout]\n" + PLAIN
    browser.open(difference_page(PAIR + PLAIN, after))
    browser.press("c")
    assert "1 added, 1 changed" in browser.evaluate("netcfg.element('Net.one').textContent")
    assert "1 added, 1 changed" in browser.evaluate("netcfg.element('Net.one').getAttribute('aria-label')")
    browser.evaluate("netcfg.choose('Net.one', true)")
    assert "1 added, 1 changed" in browser.evaluate(PANEL)


# --- the view

SEEN = """(() => {
  const stage = document.querySelector('#stage').getBoundingClientRect();
  return [...document.querySelectorAll('#stage .network')].every((network) => {
    const {left, top, right, bottom} = network.getBoundingClientRect();
    return left >= stage.left && top >= stage.top && right <= stage.right && bottom <= stage.bottom;
  });
})()"""
LONG = NET + "".join(f"[connected]\nname = c{place}\noutput_features = {place + 1}\n" for place in range(40))
LONGER = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[flatten]\nname = s0\n" + "".join(
    f"[connected]\nname = c{place}\noutput_features = 192\n"
    f"[combine_add]\nname = s{place}\ncombine_layers = c{place}, s{place - 1}\n"
    for place in range(1, 90)
)


@pytest.fixture(scope="module")
def long_page() -> str:
    return page_of(picture(graphs(RESIDUAL + LONG)))


def test_fit_stays_fitted(browser: Browser, long_page: str) -> None:
    """Whatever changes: the window, the panel, what is folded, chosen or found."""
    browser.open(long_page)
    assert not browser.evaluate(SEEN)
    browser.press("0")
    assert browser.evaluate(SEEN)
    try:
        for width, height in ((800, 700), (1000, 900), (1200, 900)):
            browser.resize(width, height)
            assert browser.evaluate(SEEN)
        browser.evaluate("netcfg.choose('Net.one.down', true)")
        browser.settle()
        assert browser.evaluate(SEEN)
        browser.evaluate("netcfg.toggle('Net.one')")
        for keys in ("c", "e", "r", "ArrowDown", "Escape"):
            browser.press(keys)
            browser.settle()
            assert browser.evaluate(SEEN), keys
        browser.wheel((300, 300), (0, -120))
        browser.resize(900, 900)
        assert not browser.evaluate(SEEN)  # until it is moved
    finally:
        browser.resize(1200, 900)


def test_the_first_view_can_be_read(browser: Browser, long_page: str, page: str) -> None:
    try:
        for size in ((1200, 900), (500, 400)):
            for one in (long_page, page):
                browser.resize(*size)
                browser.open(one)
                heights = browser.evaluate(
                    "[...document.querySelectorAll('#stage text')].map((text) =>"
                    " parseFloat(text.getAttribute('font-size')) * netcfg.scale)"
                )
                assert min(heights) >= 8
                assert browser.evaluate(BEGINS)
    finally:
        browser.resize(1200, 900)


BEGINS = """(() => {
  const {left, right, top, bottom} = document.querySelector("#stage .box").getBoundingClientRect();
  const stage = document.querySelector("#stage").getBoundingClientRect();
  return left >= stage.left && right <= stage.right && top >= stage.top && bottom <= stage.bottom;
})()"""
"""Whether the first box is seen as a whole."""


@pytest.mark.parametrize("look", [Look(), Look(direction="left-right"), Look(expand=True)])
def test_the_first_view_begins_at_the_first_box(browser: Browser, look: Look) -> None:
    """However wide the drawing is, and wherever its first box stands."""
    page = page_of(picture([sketches.ALL["inception"]()], look=look))
    try:
        for size in ((400, 800), (700, 500), (1200, 900)):
            browser.resize(*size)
            browser.open(page)
            assert browser.evaluate(BEGINS), size
            assert browser.evaluate("netcfg.scale") >= 0.8
    finally:
        browser.resize(1200, 900)


def test_a_box_that_is_brought_into_view_can_be_read(browser: Browser, long_page: str) -> None:
    browser.open(long_page)
    browser.evaluate("netcfg.zoom(0.2)")
    browser.evaluate("netcfg.reveal('Net.c30')")
    browser.settle()
    assert browser.evaluate("netcfg.scale") >= 0.8


def test_everything_to_click_is_large_enough(browser: Browser, page: str) -> None:
    browser.open(page, "?part=Net.one&panel=1")
    browser.press("?")
    small = browser.evaluate(
        "[...document.querySelectorAll('button, a, select, input, summary, #stage .part.box, #stage .header,"
        " #stage .chip')].filter((one) => one.checkVisibility())"
        ".map((one) => [one, one.querySelector(':scope > .touch') ?? one])"
        ".map(([one, touch]) => [one.outerHTML.slice(0, 90), touch.getBoundingClientRect()])"
        ".filter(([, {width, height}]) => Math.min(width, height) < 23.99).map(([name]) => name)"
    )
    browser.press("Escape")
    assert small == []


@pytest.mark.parametrize("dark", [False, True])
def test_words_of_the_page_can_be_read(browser: Browser, page: str, dark: bool) -> None:
    browser.open(page, "?part=Net.one.down&panel=1&find=conv", dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    pairs = browser.evaluate(
        """[...document.querySelectorAll('#bar *, #about *')].filter((one) => one.checkVisibility()
          && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())).map((one) => {
          let behind = one;
          while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
          return [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor];
        })"""
    )
    assert len(pairs) > 30
    for pair in {tuple(pair) for pair in pairs}:
        ink, paper = (
            "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", text)[:3]) for text in pair
        )
        assert contrast(ink, paper) >= ENOUGH, pair


# --- on paper


@pytest.mark.parametrize("name", ["long", "longer", "difference", "wide", "networks"])
def test_on_paper_boxes_are_whole_and_the_legend_is_clear(
    browser: Browser, long_page: str, name: str
) -> None:
    pages = {
        "long": lambda: long_page,
        "longer": lambda: page_of(picture(graphs(LONGER))),
        "difference": lambda: difference_page(
            RESIDUAL + LONG, RESIDUAL + LONG.replace("output_features = 9", "output_features = 90")
        ),
        "wide": lambda: page_of(picture([sketches.ALL["resnet18"]()], look=Look(expand=True))),
        "networks": lambda: page_of(picture(list(netcfg.load(CFG / "audetnet.cfg").networks.values()))),
    }
    browser.open(pages[name]())
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    browser.media("print")
    try:
        strips, found, legend = browser.evaluate(
            """[
              [...document.querySelectorAll('.strip')].map((strip) => strip.viewBox.baseVal)
                .map(({y, height}) => [y, y + height]),
              [...netcfg.onPaper.parts.values()].filter(({is}) => is === 'box').map(({id, y, h}) => [id, y, y + h]),
              (({top, bottom}) => [top, bottom, document.querySelector('#paper').getBoundingClientRect().top])
                (document.querySelector('#legend').getBoundingClientRect()),
            ]"""
        )
        for id, top, bottom in found:
            assert sum(low <= top and bottom <= high for low, high in strips) == 1, id
        for (_, end), (start, _) in pairwise(strips):
            assert end == pytest.approx(start, abs=0.02)
        assert legend[1] <= legend[2]
        width = browser.evaluate("Math.max(netcfg.onPaper.width, 700)")
        assert (
            max(high - low for low, high in strips) <= 2 * width
        )  # none has to be made much smaller for its sheet
        texts = browser.evaluate("[...document.querySelectorAll('.strip .box text')].length")
        assert texts >= len(found) / 2
        assert browser.evaluate("getComputedStyle(document.querySelector('#stage')).display") == "none"
    finally:
        browser.media("")
        browser.evaluate("dispatchEvent(new Event('afterprint'))")
    assert browser.evaluate("document.querySelectorAll('.strip').length") == 0
    sheets = len(re.findall(rb"/Type\s*/Page\b", browser.printed()))
    assert 1 <= sheets <= len(strips) + 1
    assert browser.problems == []


# --- arrows, Back and the address

FORKS = (
    "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
    + "".join(
        f"[convolutional]\nname = {name}\nfrom = input\nfilters = 4\nkernel_size = 1\n" for name in "abcd"
    )
    + "[combine_concat]\nname = all\ncombine_layers = a, b, c, d\n"
)


def test_arrows_reach_every_reader(browser: Browser) -> None:
    browser.open(page_of(picture(graphs(FORKS))), "Net.input")
    browser.press("ArrowDown")
    met = [browser.evaluate(CHOSEN)]
    for _ in range(3):
        browser.press("ArrowRight")
        met.append(browser.evaluate(CHOSEN))
    assert sorted(met) == ["Net.a", "Net.b", "Net.c", "Net.d"]
    browser.press("ArrowLeft")
    assert browser.evaluate(CHOSEN) == met[2]
    browser.press("ArrowDown")
    assert browser.evaluate(CHOSEN) == "Net.all"


@pytest.mark.parametrize("name", ["resnet18", "unet", "two_streams_templates", "inception"])
def test_arrows_reach_every_block(browser: Browser, name: str) -> None:
    """From the network on: along each wire to each of its readers, and with the other two arrows all parts."""
    browser.open(page_of(picture([sketches.ALL[name]()])))
    everything = set(parts(browser))
    browser.press("ArrowDown")
    met = {browser.evaluate(CHOSEN)}
    for _ in everything:
        browser.press("ArrowRight")
        met.add(browser.evaluate(CHOSEN))
    assert met == everything
    for id in everything:
        browser.evaluate(f"netcfg.choose({id!r}, false)")
        readers = set(browser.evaluate("netcfg.along(netcfg.drawing.parts.get(netcfg.chosen), 'after')"))
        browser.evaluate("netcfg.step('after')")
        reached = {browser.evaluate(CHOSEN)}
        for _ in range(len(readers) - 1):
            browser.evaluate("netcfg.step('next')")
            reached.add(browser.evaluate(CHOSEN))
        assert readers <= reached


STATE = (
    "[netcfg.chosen, [...netcfg.folds.folded].sort(), [...netcfg.folds.turns].sort(),"
    " document.querySelector('#query').value, document.querySelector('#panel').hidden]"
)


def test_back_goes_back_step_by_step(browser: Browser, page: str) -> None:
    browser.begin_anew()
    browser.open(page)
    states = [browser.evaluate(STATE)]
    for act in (
        "netcfg.choose('Net.one.down', true)",
        "netcfg.toggle('Net.one')",
        "netcfg.toggle('Net.two', 'turns')",
        "netcfg.choose('Net.input', false)",
        "netcfg.closePanel()",
        "netcfg.foldAll(true)",
    ):
        browser.evaluate(act)
        states.append(browser.evaluate(STATE))
        assert states[-1] != states[-2], act
    for state in states[-2::-1]:
        browser.evaluate(
            "new Promise((done) => { addEventListener('popstate', () => done(), {once: true}); history.back(); })"
        )
        assert browser.evaluate(STATE) == state
    browser.evaluate(
        "new Promise((done) => { addEventListener('popstate', () => done(), {once: true}); history.forward(); })"
    )
    assert browser.evaluate(STATE) == states[1]
    assert browser.problems == []


@pytest.mark.parametrize(
    "act",
    [
        "netcfg.choose('Net.one.down', true)",
        "netcfg.choose('Net.one.down', false)",
        "netcfg.toggle('Net.one')",
        "netcfg.toggle('Net.two', 'turns')",
        "netcfg.foldAll(true)",
        "netcfg.foldAll(true), netcfg.toggle('Net.one')",
        "netcfg.turnsOfAll()",
        "document.querySelector('#query').value = 'pad = 0 & ?', netcfg.search('pad = 0 & ?')",
        "document.querySelector('#query').value = 'down', netcfg.search('down'), netcfg.nextHit(1)",
    ],
)
def test_the_address_tells_all_of_it(browser: Browser, page: str, act: str) -> None:
    browser.open(page)
    nothing = browser.evaluate(STATE)
    browser.evaluate(act)
    state, address = browser.evaluate(STATE), browser.evaluate("location.hash.slice(1)")
    assert address or state == nothing
    browser.open(page, address)
    assert browser.evaluate(STATE) == state
    assert browser.problems == []


@pytest.mark.parametrize(
    "address", ["%", "?part=nowhere", "?folded=nowhere&panel=1", "nowhere", "?%E0%A4%A", "?fold=some"]
)
def test_an_address_that_leads_nowhere_shows_the_page(browser: Browser, page: str, address: str) -> None:
    browser.open(page, address)
    assert "Net.one.down" in parts(browser)
    assert browser.problems == []


# --- copying


def test_text_can_be_marked_and_copied(browser: Browser, page: str) -> None:
    browser.open(page)
    view = browser.evaluate("[netcfg.x, netcfg.y]")
    box = browser.evaluate(
        "(({left, right, top, height}) => [left, right, top + height / 2])"
        "([...document.querySelectorAll('#stage .box text')].find((text) => text.textContent.startsWith('conv'))"
        ".getBoundingClientRect())"
    )
    browser.drag((box[0] + 1, box[2]), (box[1] - 1, box[2]))
    assert browser.evaluate("getSelection().toString()").startswith("onv") or browser.evaluate(
        "getSelection().toString()"
    ).startswith("conv")
    assert browser.evaluate("[netcfg.x, netcfg.y]") == view
    assert browser.evaluate(PANEL) is None  # it was no click


def test_copying_with_nothing_marked_takes_the_chosen_part(browser: Browser, page: str) -> None:
    browser.open(page, "Net.one.down")
    copied = browser.evaluate(
        "(() => { const event = new ClipboardEvent('copy', {clipboardData: new DataTransfer(), bubbles: true,"
        " cancelable: true}); document.activeElement.dispatchEvent(event);"
        " return event.clipboardData.getData('text/plain'); })()"
    )
    assert copied.startswith("[convolutional] one.down\n")
    assert "parameters" in copied


# --- saving, listing, colouring


def test_what_is_shown_is_saved_as_a_picture_of_its_own(browser: Browser, page: str) -> None:
    browser.open(page, dark=True)
    browser.press("c")
    saved = browser.evaluate("netcfg.saved.svg()")
    root = ElementTree.fromstring(saved)
    assert root.get("width") == browser.evaluate("String(Math.round(netcfg.drawing.width * 100) / 100)")
    assert root[0].get("fill") == "#ffffff"
    assert 'data-node="Net.one"' in saved
    assert 'data-node="Net.one.down"' not in saved, "what is folded is folded"
    assert [word for word in ('class="chip', 'class="touch', "<script", "tabindex") if word in saved] == []
    browser.open(saved_page(saved))
    assert (
        browser.evaluate("getComputedStyle(document.querySelector('.box.template rect')).fill")
        == "rgb(246, 248, 250)"
    )


def saved_page(svg: str) -> str:
    return f"<!DOCTYPE html><body>{svg}</body>"


def test_pixels_are_twice_as_many_as_units(browser: Browser, page: str) -> None:
    browser.open(page)
    start, size = browser.evaluate(
        "netcfg.saved.png().then(async (blob) => [Array.from(new Uint8Array(await blob.slice(0, 4).arrayBuffer())),"
        " await createImageBitmap(blob).then(({width, height}) => [width, height])])"
    )
    assert bytes(start) == b"\x89PNG"
    width, height = browser.evaluate("[netcfg.drawing.width, netcfg.drawing.height]")
    assert size == [round(2 * width), round(2 * height)]


def test_the_list_of_blocks_is_sorted_and_leads_to_them(browser: Browser, page: str) -> None:
    rows_of = "[...document.querySelectorAll('#list tbody tr')]"
    cells = f"{rows_of}.map((row) => [...row.cells].map((cell) => cell.innerText))"
    browser.open(page)
    browser.press("c", "l")
    rows = browser.evaluate(cells)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=natural)
    browser.evaluate("document.querySelector('[data-column=\"3\"]').click()")
    counts = [int(re.sub(r"\D", "", row[3])) for row in browser.evaluate(cells)]
    assert counts == sorted(counts, reverse=True)
    assert browser.evaluate("document.querySelector('#list th:nth-child(4)').ariaSort") == "descending"
    assert browser.evaluate("document.activeElement.dataset.column") == "3"
    browser.evaluate("document.querySelector('#list [data-goto=\"Net.one.down\"]').click()")
    assert browser.evaluate(CHOSEN) == "Net.one.down"
    assert not browser.evaluate("document.querySelector('#list').open")
    assert browser.problems == []


def natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def expect_readable(browser: Browser) -> None:
    """All words in boxes that are coloured by their cost have the contrast that words need."""
    pairs = browser.evaluate(
        """[...document.querySelectorAll("#stage .box rect[data-heat]")].flatMap((rect) => (
          [...rect.parentNode.querySelectorAll(":scope > text")].map((text) => (
            [getComputedStyle(text).fill, getComputedStyle(rect).fill]))))"""
    )
    assert pairs
    for pair in {tuple(pair) for pair in pairs}:
        ink, paper = ("#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", text)) for text in pair)
        assert contrast(ink, paper) >= ENOUGH, pair


def test_boxes_are_coloured_by_their_cost_folded_or_not(browser: Browser, page: str) -> None:
    browser.open(page)
    costs = "document.querySelector('#costs')"
    chosen = f"{costs}.value = '{{0}}', {costs}.dispatchEvent(new Event('change'))"
    heat = (
        "Object.fromEntries(netcfg.boxes.map((part) => [part.id, (part.isOut ? part.content : netcfg.element(part.id))"
        ".querySelector('[data-heat]')?.dataset.heat]))"
    )
    assert not any(browser.evaluate(heat).values())
    browser.evaluate(chosen.format("parameters"))
    assert "16" in browser.evaluate(heat).values()
    browser.press("c")
    found = browser.evaluate(heat)
    assert "16" in found.values()
    hottest = next(id for id, step in found.items() if step == "16")
    expect_readable(browser)
    fill = f"getComputedStyle(netcfg.element('{hottest}').querySelector('[data-heat]')).fill"
    assert browser.evaluate(fill) == "rgb(245, 121, 79)"
    assert "#f5794f" in browser.evaluate("netcfg.saved.svg()")
    browser.press("t")
    expect_readable(browser)
    browser.press("t", "e")
    expect_readable(browser)
    browser.evaluate(chosen.format(""))
    assert not any(browser.evaluate(heat).values())


def test_names_can_be_left_out(browser: Browser, page: str) -> None:
    browser.open(page)
    shown = "[...document.querySelectorAll('.box text[font-weight]')].filter((one) => one.checkVisibility()).length"
    assert browser.evaluate(shown)
    browser.press("n")
    assert not browser.evaluate(shown)
    browser.press("n")
    assert browser.evaluate(shown)


def test_a_regular_expression_is_searched_for(browser: Browser, page: str) -> None:
    browser.open(page)
    count = "document.querySelector('#found').textContent"
    browser.press("/")
    query = "document.querySelector('#query')"
    browser.evaluate(f"{query}.value = '/one.down$/', {query}.dispatchEvent(new Event('input'))")
    assert browser.evaluate(count) == "1"
    browser.press("Enter")
    assert browser.evaluate(CHOSEN) == "Net.one.down"
    browser.evaluate("netcfg.search('/[/')")
    assert browser.evaluate(count) == "?"
    assert browser.problems == []


@pytest.mark.parametrize("direction", ["top-down", "left-right"])
def test_what_unfolds_a_box_stands_on_none_of_its_text(browser: Browser, direction: str) -> None:
    """Neither where boxes are as narrow as their title."""
    program = netcfg.load(CFG / "zoo" / "resnet50.cfg")
    browser.open(page_of(picture(list(program.networks.values()), look=Look(direction=direction))))
    overlaps = browser.evaluate(
        """[...document.querySelectorAll("#stage .box")].flatMap((box) => {
          const sign = box.querySelector(".chip path")?.getBoundingClientRect();
          const texts = [...box.querySelectorAll("text")].filter((text) => !text.textContent.startsWith("×"));
          return texts.filter((text) => {
            const {left, right, top, bottom} = text.getBoundingClientRect();
            return sign?.width && left < sign.right && sign.left < right && top < sign.bottom && sign.top < bottom;
          }).map((text) => text.textContent);
        })"""
    )
    assert overlaps == []

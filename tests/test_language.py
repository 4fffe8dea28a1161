"""What a use may say of sizes, of whether and how often it stands there, and what it is called."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.graph import Graph
from netcfg.source import Finding
from netcfg.syntax.format import format_text

HEAD = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
UNKNOWN = "{N}\n[net]\nchannels = 3\n"


def network(text: str, head: str = HEAD, above: str = "") -> Graph:
    return netcfg.load(above + head + text).networks["N"]


def paths(text: str, above: str = "") -> list[str]:
    """Of the blocks that compute."""
    return [node.path for node in network(text, above=above).blocks]


def channels(text: str, above: str = "", head: str = HEAD) -> list[object]:
    return [node.output.shape[0] for node in network(text, head, above).blocks]


def read_by(text: str, above: str = "") -> list[str]:
    """What the last block reads, by path."""
    graph = network(text, above=above)
    return [graph.reference(signal) for signal in graph.nodes[-1].inputs]


def finding(text: str, above: str = "", head: str = HEAD) -> tuple[Finding, str]:
    """The one error of a program, and the text that it underlines."""
    errors = [found for found in netcfg.check(above + head + text)[1] if found.severity == "error"]
    errors = list({(error.code, error.message): error for error in errors}.values())
    assert len(errors) == 1, [(error.code, error.message) for error in errors]
    span = errors[0].span
    assert span is not None
    return errors[0], span.file.line(span.line)[span.column - 1 :][: span.length]


def conv(filters: object, **options: object) -> str:
    written = {"filters": filters, "kernel_size": 1} | {
        key.rstrip("_"): value for key, value in options.items()
    }
    return "[convolutional]\n" + "".join(f"{key} = {value}\n" for key, value in written.items())


# --- sizes


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("$input.channels", 3),
        ("$in.channels", 6),
        ("$a.channels", 5),
        ("$input.height", 8),
        ("${2 * input.channels + in.width}", 14),
        ("${in.channels / 2}", 3),
        ("${a.channels if in.channels > 5 else 1 / 0}", 5),
        ("${divisible(in.channels * 1.6, 8)}", 16),
    ],
)
def test_a_size_stands_in_a_number_option(written: str, size: int) -> None:
    assert channels(conv(5, name="a") + conv(6) + conv(written))[-1] == size


def test_in_is_the_first_signal_that_a_block_reads() -> None:
    assert channels(conv(5, name="a") + conv(6) + conv("$in.channels", from_="a"))[-1] == 5


def test_sizes_of_named_inputs_and_of_ports() -> None:
    head = "{N}\n[net]\n[input]\nname = x\nchannels = 4\n[input]\nname = y\nfeatures = 7\n"
    text = conv("$y.features", from_="x") + "[combine_multiply]\ncombine_layers = -1, y\n"
    assert channels(text, head=head)[0] == 7
    inside = (
        "{Define two}\n" + conv(4, name="u") + conv(9) + "[output]\nname = p\nfrom = u\n[output]\nname = q\n"
    )
    text = "[two]\nname = t\n" + conv("$t.p.channels") + conv("$t.q.channels") + conv("$t.u.channels")
    assert channels(text, inside)[2:] == [4, 9, 4]


def test_in_a_template_input_is_what_the_use_is_fed_each_turn_its_own() -> None:
    double = "{Define double}\n[parameters]\nmid = ${2 * input.channels}\n" + conv("$mid")
    assert channels("[double]\nrepeat = 3\n", double) == [6, 12, 24]
    assert channels(conv("${2 * in.channels}", repeat=3)) == [6, 12, 24]


def test_sizes_of_data_fields() -> None:
    data = "{Data}\n[synthetic_faces]\nimage_size = 64\naction_units = 1, 2, 12\n"
    head = "{N}\n[net]\nchannels = 3\nheight = $data.image.height\nwidth = 64\n"
    text = "[flatten]\n[connected]\noutput_features = $data.labels.features\n"
    assert network(text, data + HEAD.replace("8", "64")).nodes[-1].output.shape == (3,)
    error, place = finding("[flatten]\n[connected]\noutput_features = $data.label.features\n", data)
    assert (error.code, place, error.help) == ("NC501", "$data.label.features", "did you mean `labels`?")
    assert finding("[flatten]\n", head=head)[0].code == "NC009"


@pytest.mark.parametrize(
    ("written", "head", "code", "message"),
    [
        (
            "$input.height",
            UNKNOWN,
            "NC303",
            "`filters` asks for the height of `input`, which is only known as `height`",
        ),
        (
            "$in.features",
            HEAD,
            "NC305",
            "`filters` asks for the features of `in`, which is channels×height×width",
        ),
        (
            "${nobody.channels + 1}",
            HEAD,
            "NC201",
            "`filters` asks for a size of `nobody`, and there is no block",
        ),
        ("${input.depth}", HEAD, "NC009", "`filters` asks for the `depth` of `input`, which is no size"),
    ],
)
def test_a_size_that_is_not_known_is_said_where_it_is_asked(
    written: str, head: str, code: str, message: str
) -> None:
    error, place = finding(conv(written), head=head)
    assert (error.code, place) == (code, written)
    assert error.message.startswith(message)
    assert error.help


@pytest.mark.parametrize("key", ["name", "from"])
def test_a_size_decides_no_name(key: str) -> None:
    error, place = finding("[identity]\n" + f"[route]\n{key} = $input.channels\n")
    assert (error.code, place) == ("NC009", "$input.channels")


def test_a_variable_before_a_dot_is_still_a_variable() -> None:
    variables = "{General}\n[variables]\nlist = afew\n"
    program = netcfg.load(variables + HEAD + conv(3, weights_from="$list.features", weights="x"))
    assert program.networks["N"].nodes[-1].source_path == "afew.features"


def test_the_size_of_a_block_that_failed_says_nothing_more() -> None:
    assert finding(conv("many", name="a") + conv("$a.channels"))[1] == "many"


# --- if


def test_a_block_that_is_not_there_is_read_through_and_takes_no_number() -> None:
    text = conv(4, name="a") + conv(5, **{"if": "False"}) + conv(6)
    assert paths(text) == ["a", "1"]
    text = conv(4, name="a") + conv(5, name="b", from_="input", **{"if": "${1 > 2}"}) + "[route]\nfrom = b\n"
    assert read_by(text) == ["input"]


@pytest.mark.parametrize(("kind", "read"), [(1, "one"), (2, "two"), (3, "three"), (4, "stem")])
@pytest.mark.parametrize("last", ["[identity]\n", "[route]\nfrom = -1\n"])
def test_of_blocks_with_an_if_each_and_one_input_the_next_reads_what_is_there(
    kind: int, read: str, last: str
) -> None:
    names = ("one", "two", "three")
    choices = (
        conv(9, name=name, from_="stem", **{"if": f"${{{kind} == {place}}}"})
        for place, name in enumerate(names, 1)
    )
    assert read_by(conv(4, name="stem") + "".join(choices) + last) == [read]


def test_copies_along_an_axis_that_has_a_name_meet_others_by_it() -> None:
    text = conv(4, name="a", copies=2, join="objects") + "[reduce]\ndimension = height, width\nname = b\n"
    text += "[combine_multiply]\ncombine_layers = a, b\n[reduce]\ndimension = objects\nwith = sum\n"
    assert [node.output.shape for node in network(text).blocks][2:] == [
        (2, 4, 8, 8),
        (2, 4),
        (2, 4, 8, 8),
        (4, 8, 8),
    ]
    alone = network(conv(4, copies=1, join="tokens")).nodes[-1]
    assert (alone.output.shape, alone.output.axes[0]) == ((1, 4, 8, 8), "L")
    assert finding(conv(4, copies=2, join="heads"))[0].code == "NC105"


@pytest.mark.parametrize(("first", "second"), [("True", "False"), ("False", "True")])
def test_a_block_that_is_not_there_leaves_its_name_to_another(first: str, second: str) -> None:
    text = conv(4, name="a", **{"if": first}) + conv(5, name="b") + conv(6, name="a", **{"if": second})
    assert sorted(paths(text)) == ["a", "b"]
    size = 4 if first == "True" else 6
    assert channels(text + conv("$a.channels"))[-1] == size


def test_two_blocks_that_are_there_share_no_name() -> None:
    text = conv(4, name="a", **{"if": "True"}) + conv(6, name="a", **{"if": "${input.height > 1}"})
    assert finding(text)[0].code == "NC107"
    gone = conv(4, name="a", **{"if": "False"}) + conv(5, name="a") + conv(6, name="a")
    assert finding(gone)[0].code == "NC107"


def test_a_block_that_is_no_choice_is_not_read_in_the_place_of_one_that_is_not_there() -> None:
    aside = conv(5, name="b", from_="a", **{"if": "False"}) + "[identity]\n"
    assert read_by(conv(4, name="a") + conv(9, name="always", from_="a") + aside) == ["a"]
    assert read_by(
        conv(4, name="a")
        + conv(9, name="other", **{"if": "True"})
        + aside.replace("from = a", "from = input")
    ) == ["input"]
    named = "[route]\nfrom = b\n"
    assert read_by(conv(4, name="a") + conv(9, name="c", **{"if": "True"}) + aside + named) == ["a"]


@pytest.mark.parametrize(
    ("condition", "is_there"), [("True", True), ("3", True), ("0", False), ("0.0", False)]
)
def test_a_condition_is_a_number_or_yes_or_no(condition: str, is_there: bool) -> None:
    assert len(paths(conv(4) + conv(5, **{"if": condition}))) == 1 + is_there


def test_options_of_a_block_that_is_not_there_need_not_hold() -> None:
    pool = "[maxpool]\npool_size = 0\nif = 0\n"
    assert paths(pool + conv(4)) == ["0"]


def test_a_condition_may_ask_for_sizes_and_stand_on_uses_and_outputs() -> None:
    unit = "{Define unit}\n" + conv(4, name="c")
    text = "[unit]\nname = u\nif = ${input.channels != 4}\n[unit]\nname = v\nif = ${in.channels != 4}\n"
    assert paths(text, unit) == ["u.c"]
    outputs = conv(4, name="a") + "[output]\nname = p\n[output]\nname = q\nif = False\n"
    assert list(network(outputs).outputs) == ["p"]


TAPS = "{Table taps}\nname from size\nsmall a 1\nlarge b 2\nhuge c 3\n"


def test_a_table_makes_an_output_of_each_row_that_is_there() -> None:
    text = conv(4, name="a") + conv(5, name="b") + "[output]\nrows = taps\nif = ${size < 3}\n"
    graph = network(text, above=TAPS)
    assert {name: graph.reference(signal) for name, signal in graph.outputs.items()} == {
        "small": "a",
        "large": "b",
    }


def test_outputs_take_none_of_the_keys_of_blocks() -> None:
    error, place = finding(conv(4) + "[output]\nname = p\ncopies = 2\n")
    assert (error.code, place) == ("NC103", "copies")


def test_who_reads_a_row_that_is_not_there_reads_its_first_input() -> None:
    text = conv(4, name="a") + conv(4, name="b0") + "[combine_add]\nrows = taps\nname = s$row\n"
    text += "combine_layers = a, b${row}\nif = ${size < 2}\n"
    table = "{Table taps}\nsize\n1\n2\n3\n"
    assert read_by(text + "[route]\nfrom = s2\n", table) == ["a"]


HALF = (
    "{Define half}\n[parameters]\nfilters\n[expect]\nthat = ${filters % 2 == 0 and input.channels == 3}\n"
    "message = of $input.channels channels, $filters\n[convolutional]\nfilters = ${filters // 2}\nkernel_size = 1\n"
)


def test_what_a_template_expects_is_said_at_its_use_and_alone() -> None:
    """Nothing of what only follows from it is said: not that a port is missing, nor a shape."""
    assert channels("[half]\nfilters = 8\n", HALF) == [4]
    outer = HALF + "[output]\nname = p\n{Define two}\n[half]\nname = h\nfilters = 7\n[route]\nfrom = h.p\n"
    for use in ("[two]\n", "[two]\nflat = True\n"):
        error, place = finding(use + conv(4), outer)
        assert (error.code, error.message, place) == ("NC117", "of 3 channels, 7", "[two]")
    error, place = finding("[expect]\nthat = ${input.height > 8}\nmessage = too small\n" + conv(4))
    assert (error.code, error.message, place) == ("NC117", "too small", "[expect]")


@pytest.mark.parametrize(
    ("written", "code", "place"),
    [
        ("that = maybe\nmessage = m", "NC105", "maybe"),
        ("that = True", "NC104", "[expect]"),
        ("that = True\nmessage = m\nthen = 1", "NC103", "then"),
        ("that = True\nthat = True\nmessage = m", "NC106", "that"),
    ],
)
def test_an_expectation_that_cannot_be_read_is_refused(written: str, code: str, place: str) -> None:
    error, found = finding(f"[expect]\n{written}\n" + conv(4))
    assert (error.code, found) == (code, place)


def test_a_condition_that_is_none_is_refused() -> None:
    error, place = finding(conv(4, **{"if": "maybe"}))
    assert (error.code, place) == ("NC105", "maybe")


# --- names


def test_a_name_is_a_path_and_a_dot_at_its_end_is_the_next_number() -> None:
    text = conv(4, name="features.") + conv(4, name="stem.a") + conv(4, name="features.") + conv(4)
    assert paths(text) == ["features.0", "stem.a", "features.1", "3"]
    assert read_by(text + "[combine_add]\ncombine_layers = features.1, stem.a\n") == ["features.1", "stem.a"]


def test_names_and_references_say_the_turn() -> None:
    text = conv(4, name="layers.layer-${turn + 1}", repeat=3)
    assert paths(text) == ["layers.layer-1", "layers.layer-2", "layers.layer-3"]
    assert read_by(text + "[route]\nfrom = layers.layer-2\n") == ["layers.layer-2"]
    state = list(netcfg.build(netcfg.load(HEAD + text))["N"].state_dict())
    assert state[0] == "layers.layer-1.weight"


def test_a_block_that_is_not_there_takes_no_number_of_its_folder() -> None:
    first = conv(4, name="body.", **{"if": "False"})
    assert paths(first + conv(5, name="body.") + conv(6, name="body.")) == ["body.0", "body.1"]


def test_a_folder_counts_within_a_template() -> None:
    unit = "{Define unit}\n" + conv(4, name="conv.") + conv(4, name="conv.")
    assert paths("[unit]\nname = u\nrepeat = 2\n", unit) == [
        "u.0.conv.0",
        "u.0.conv.1",
        "u.1.conv.0",
        "u.1.conv.1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        conv(4, name="a.0") + conv(4, name="a.") + conv(4, name="b"),
        conv(4, name="a") + conv(4, name="a.b"),
        conv(4, name="a.b") + conv(4, name="a"),
        conv(4, name="x$turn", repeat=2) + conv(4, name="x1"),
    ],
)
def test_two_blocks_of_one_path_are_one_finding(text: str) -> None:
    error, _ = finding(text)
    assert error.code == "NC107"
    assert error.notes


@pytest.mark.parametrize("name", ["a..b", ".a", "a.-b", "a.import", "a b.c"])
def test_a_path_has_words_between_its_dots(name: str) -> None:
    assert finding(conv(4, name=name))[0].code == "NC111"


def test_what_counts_is_known_where_something_counts() -> None:
    error, place = finding(conv("$turn"))
    assert (error.code, place, error.help) == (
        "NC108",
        "$turn",
        "`$turn` is known in a block with `repeat` or `rows`",
    )


# --- flat


UNIT = "{Define unit}\n" + conv(4, name="c") + conv(5) + conv(6)


def test_what_is_inside_a_flat_use_stands_in_its_place() -> None:
    text = conv(3) + "[unit]\nflat = True\n" + conv(7)
    assert paths(text, UNIT) == ["0", "c", "2", "3", "4"]
    assert read_by(text + "[route]\nfrom = c\n", UNIT) == ["c"]
    assert read_by(text + "[route]\nfrom = 2\n", UNIT) == ["2"]
    assert read_by(text + "[route]\nfrom = -2\n", UNIT) == ["3"]


def test_flat_is_for_templates() -> None:
    error, place = finding(conv(3, flat="True"))
    assert (error.code, place) == ("NC105", "flat")


def test_two_flat_uses_of_the_same_names_are_one_finding() -> None:
    assert finding("[unit]\nflat = True\n[unit]\nflat = True\n", UNIT)[0].code == "NC107"


# --- tables


TABLE = "{Table stages}\nfilters repeat stride  # as printed\n4 2 1\n8 - 2\n"


def test_a_row_is_a_block_each_fed_by_the_one_before() -> None:
    text = "[convolutional]\nrows = stages\nkernel_size = 1\nname = layer${row + 1}\n"
    assert paths(text, TABLE) == ["layer1.0", "layer1.1", "layer2"]
    assert channels(text, TABLE) == [4, 4, 8]
    assert [node.output.shape[1] for node in network(text, above=TABLE).blocks] == [8, 8, 4]


def test_turns_are_counted_also_where_a_repeat_computes_with_its_column() -> None:
    table = "{Table deeper}\nfilters repeat\n4 1\n5 2\n"
    use = (
        "[convolutional]\nrows = deeper\nkernel_size = 1\nrepeat = ${2 * repeat}\nname = x${number}of$total\n"
    )
    assert paths(use, above=table) == [f"x{number}of6" for number in range(6)]


def test_a_column_that_a_use_states_is_a_variable_to_it() -> None:
    text = "[convolutional]\nrows = stages\nkernel_size = 1\nstride = ${stride if turn == 1 else 1}\n"
    assert paths(text.replace("turn == 1", "turn == 0"), TABLE) == ["0.0", "0.1", "1"]
    assert [node.output.shape[1] for node in network(text, above=TABLE).blocks] == [8, 8, 8]
    text = "[convolutional]\nrows = stages\nkernel_size = 1\nname = ${number}x$total\n".replace(
        "${number}x", "x${number}of"
    )
    assert paths(text, TABLE) == ["x0of3", "x1of3", "x2of3"]


def test_rows_name_blocks_read_each_other_and_count_as_blocks() -> None:
    table = "{Table branches}\nname from filters\na input 4\nb -1 5\nc a 6\n"
    text = "[convolutional]\nkernel_size = 1\nrows = branches\n"
    graph = network(text + "[combine_concat]\ncombine_layers = -3, b, -1\n", above=table)
    assert [graph.reference(node.inputs[0]) for node in graph.blocks] == ["input", "a", "a", "a"]
    assert [graph.reference(signal) for signal in graph.nodes[-1].inputs] == ["a", "b", "c"]


def test_cells_hold_parameters_and_expressions() -> None:
    above = "{Table t}\nfilters kernel_size\n$wide 1\n${wide + 1} 1\n"
    above += "{Define unit}\n[parameters]\nwide\n[convolutional]\nrows = t\n"
    assert channels("[unit]\nwide = 4\n", above) == [4, 5]


USE = "[convolutional]\nkernel_size = 1\nrows = t\n"


@pytest.mark.parametrize(
    ("table", "use", "place", "message"),
    [
        ("filters\n", USE, "{Table t}", "the table `t` has no rows"),
        ("", USE, "{Table t}", "the table `t` has no rows"),
        ("filters stride\n4 1 2\n", USE, "2", "a row of 3 cells under 2 columns"),
        ("filters stride\n4\n", USE, "4", "a row of 1 cell under 2 columns"),
        ("filters strid\n4 1\n", USE, "strid", "the column `strid` is no option of [convolutional]"),
        ("filters filters\n4 1\n", USE, "filters", "two columns are called `filters`"),
        ("filters\nmany\n", USE, "many", "`filters` must be a whole number, found `many`"),
        ("filters\n$many\n", USE, "$many", "there is no variable `many`"),
        ("filters\n4\n", USE.replace("= t", "= u"), "u", "there is no table `u`"),
        ("filters\n4\n5\n", USE + "name = x\n", "x", "`x` is the name of another block here"),
    ],
)
def test_a_table_that_is_wrong_is_one_finding(table: str, use: str, place: str, message: str) -> None:
    error, underlined = finding(use, "{Table t}\n" + table)
    assert underlined == place
    assert error.message.startswith(message)


def test_a_block_in_a_table_and_two_tables_of_one_name() -> None:
    assert finding(conv(4), "{Table t}\na\n1\n[softmax]\ndim = 1\n")[0].code == "NC112"
    assert finding(conv(4), "{Table t}\na\n1\n{Table t}\na\n1\n")[0].code == "NC109"


def test_fmt_aligns_the_columns_of_a_table() -> None:
    text = "{Table t}\n# as printed\nname filters kernel_size  # head\nstem 64 ${a + 1},3\n"
    text += "longer_name - 1 ; last\n[net]\n"
    formatted = format_text(text)
    assert formatted.split("\n")[:5] == [
        "{Table t}",
        "# as printed",
        "name         filters  kernel_size  # head",
        "stem         64       ${a + 1},3",
        "longer_name  -        1            ; last",
    ]
    assert format_text(formatted) == formatted


# --- defaults


def test_defaults_hold_below_and_the_inner_one_wins() -> None:
    inner = "{Define inner}\n[defaults]\nconvolutional.filters = 6\n[convolutional]\nkernel_size = 1\n"
    outer = "{Define outer}\n[convolutional]\nkernel_size = 1\n[inner]\n[convolutional]\nkernel_size = 1\n"
    text = "[defaults]\nconvolutional.filters = 5\n[outer]\n" + conv(7)
    assert channels(text, inner + outer) == [5, 6, 5, 7]


def test_defaults_of_a_template_are_of_its_parameters() -> None:
    unit = "{Define unit}\n[parameters]\nwidth = 4\n" + conv("$width")
    assert channels("[unit]\n[defaults]\nunit.width = 8\n[unit]\n[unit]\nwidth = 9\n", unit) == [4, 8, 9]


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("eps = 1", "NC103", "eps"),
        ("batch_nrm.eps = 1", "NC102", "batch_nrm.eps"),
        ("batch_norm.epss = 1", "NC103", "batch_norm.epss"),
        ("batch_norm.name = x", "NC103", "batch_norm.name"),
        ("batch_norm.eps = small", "NC105", "small"),
        ("batch_norm.eps = 1\nbatch_norm.eps = 2", "NC106", "batch_norm.eps"),
    ],
)
def test_a_default_of_nothing_is_refused(line: str, code: str, place: str) -> None:
    error, underlined = finding(f"[defaults]\n{line}\n" + conv(4))
    assert (error.code, underlined) == (code, place)


# --- repeat with several signals


def test_a_repeat_feeds_its_first_input_again_and_the_others_by_turn() -> None:
    merge = "{Define merge}\n[input]\nname = below\n[input]\nname = tap\n[combine_add]\ncombine_layers = below, tap\n"
    taps = conv(4, name="t0") + conv(4, name="t1", from_="input") + conv(4, name="t2", from_="input")
    graph = network(taps + "[merge]\nname = m\nrepeat = 2\nfrom = t0, t${turn + 1}\n", above=merge)
    read = [[graph.reference(signal) for signal in node.inputs] for node in graph.nodes[-2:]]
    assert read == [["t0", "t1"], ["m.0.0", "t2"]]


def test_outputs_called_like_inputs_go_to_these() -> None:
    swap = (
        "{Define swap}\n[input]\nname = a\n[input]\nname = b\n"
        + conv(4, name="x", from_="a")
        + conv(4, name="y", from_="b")
        + "[output]\nname = b\nfrom = x\n[output]\nname = a\nfrom = y\n"
    )
    graph = network("[swap]\nname = s\nrepeat = 2\nfrom = input, -1\n[route]\nfrom = s.a\n", above=swap)
    read = {node.path: graph.reference(node.inputs[0]) for node in graph.blocks}
    assert (read["s.1.x"], read["s.1.y"]) == ("s.0.y", "s.0.x")


# --- copies


def test_copies_read_the_same_and_have_paths_of_their_own() -> None:
    text = conv(5) + conv("${4 + copy}", name="heads", copies=3)
    graph = network(text + "[combine_concat]\ncombine_layers = heads.0, heads.2\n")
    assert [node.path for node in graph.blocks] == ["0", "heads.0", "heads.1", "heads.2", "2"]
    assert [graph.reference(node.inputs[0]) for node in graph.blocks][1:4] == ["0", "0", "0"]
    assert [node.output.shape[0] for node in graph.blocks] == [5, 4, 5, 6, 10]
    assert paths(conv(4, name="head-$copy", copies=2)) == ["head-0", "head-1"]


@pytest.mark.parametrize(
    ("join", "shape"), [("stack", (3, 6, 8, 8)), ("concat", (18, 8, 8)), ("add", (6, 8, 8))]
)
def test_a_join_makes_one_signal_of_copies(join: str, shape: tuple[int, ...]) -> None:
    text = f"[unit]\nname = heads\ncopies = 3\njoin = {join}\n"
    graph = network(text, above=UNIT)
    assert graph.nodes[-1].output.shape == shape
    assert [graph.reference(signal) for signal in graph.nodes[-1].inputs] == [
        "heads.0.2",
        "heads.1.2",
        "heads.2.2",
    ]
    assert read_by(text + "[route]\nfrom = heads.1.c\n", UNIT) == ["heads.1.c"]
    built = netcfg.build(netcfg.load(UNIT + HEAD + text))["N"]
    assert len(list(built.parameters())) == 18


def test_copies_may_be_repeated() -> None:
    assert paths(conv(4, name="h", copies=2, repeat=2)) == ["h.0.0", "h.0.1", "h.1.0", "h.1.1"]


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"copies": 0}, "0"),
        ({"copies": "x"}, "x"),
        ({"join": "add"}, "join"),
        ({"copies": 2, "join": "sum"}, "sum"),
    ],
)
def test_copies_that_cannot_be_are_refused(options: dict[str, object], place: str) -> None:
    error, underlined = finding(conv(4, **options))
    assert (error.code, underlined) == ("NC105", place)


# --- networks


def test_a_network_that_is_the_same_as_another_has_its_own_parameters() -> None:
    text = HEAD + conv(4, name="c") + "{Twin}\n[net]\nsame_as = N\nheight = 4\n"
    program = netcfg.load(text)
    assert [(node.path, node.output.shape) for node in program.networks["Twin"].blocks] == [("c", (4, 4, 8))]
    built = netcfg.build(program)
    assert built["Twin"]["c"].weight is not built["N"]["c"].weight
    assert list(netcfg.load(program.resolved).networks) == ["N", "Twin"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{Twin}\n[net]\nsame_as = Twin\n", "NC203"),
        ("{Twin}\n[net]\nsame_as = M\n", "NC201"),
        ("{Twin}\n[net]\nsame_as = N\n[softmax]\ndim = 1\n", "NC105"),
        ("{Twin}\n[net]\nsame_as = N\n{Third}\n[net]\nsame_as = Twin\n", "NC201"),
    ],
)
def test_a_network_that_cannot_be_the_same_is_one_finding(text: str, code: str) -> None:
    assert finding(conv(4) + text)[0].code == code


# --- all of them


def test_the_resolved_text_means_the_same() -> None:
    above = (
        TABLE
        + "{General}\n[variables]\nwide = 4\n{Define unit}\n[parameters]\nmid = ${2 * input.channels}\n"
        + conv("$mid")
    )
    text = (
        "[defaults]\nconvolutional.pad = 0\n[convolutional]\nrows = stages\nkernel_size = 1\nname = layer$row\n"
        "[unit]\nflat = True\n"
        + conv("${wide + in.channels}", repeat=2, name="x$turn", **{"if": "${wide > 2}"})
    )
    program = netcfg.load(above + HEAD + text, wide=5)
    again = netcfg.load(program.resolved).networks["N"]
    assert [(node.path, node.output.shape) for node in again.nodes] == [
        (node.path, node.output.shape) for node in program.networks["N"].nodes
    ]


def test_a_line_of_yaml_is_told_what_it_is_here() -> None:
    (finding, *_) = netcfg.check("model:\n  name: resnet\n")[1]
    assert (finding.code, finding.help) == ("NC001", "a group is written `{model}`, a block in it `[model]`")

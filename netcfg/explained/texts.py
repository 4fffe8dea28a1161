"""NC0xx and NC1xx: how a file is written, and what its blocks and options are called."""

from __future__ import annotations

from itertools import pairwise

from netcfg.explained.explanation import Explanation, by_command

NET = "{Net}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
CONVOLUTION = NET + "[convolutional]\nfilters = 8\n@\n"
ANY = NET + "@\n"
TEMPLATE = "{Define double}\n[parameters]\nwidth\n[convolutional]\nfilters = $width\nkernel_size = 3\n" + NET
AUDETNET = (
    "The option is written, and the file's own {Data}, a missing critic or AUDetNet itself makes it count for nothing: "
    "take it out, or leave a published file as it is."
)

TEXTS: dict[str, Explanation] = {
    "NC001": Explanation(
        "Write `key = value`, a header, or `#` before a comment.",
        CONVOLUTION,
        "kernel_size 3",
        "kernel_size = 3",
    ),
    "NC002": Explanation(
        "Close the header, and put nothing but a comment behind it.", ANY, "[flatten", "[flatten]"
    ),
    "NC003": Explanation("Open a group above it.", "@" + NET + "[flatten]\n", "[identity]\n", ""),
    "NC004": by_command(
        "Look at the name and its folder; pipes and devices are not read.",
        "netcfg check @",
        "nett.cfg",
        "net.cfg",
    ),
    "NC005": by_command(
        "Give a text in UTF-8 that holds `{Groups}`; weights are read by `train` and `eval`.",
        "netcfg check @",
        "best.safetensors",
        "net.cfg",
    ),
    "NC006": Explanation("Write a network.", "@", "# nothing yet\n", NET + "[flatten]\n"),
    "NC007": Explanation(
        "Name a file beside this one, or a shipped one.",
        "{include blocks/@}\n" + NET + "[flatten]\n",
        "vgg11.cfg",
        "vgg16.cfg",
    ),
    "NC008": Explanation(
        "Take one of the includes of the circle out.", "@" + NET + "[flatten]\n", "{include net.cfg}\n", ""
    ),
    "NC009": Explanation(
        "Compute with numbers, variables, + - * / // % ** ( ), min, max and int.",
        CONVOLUTION,
        "kernel_size = ${3 // 0}",
        "kernel_size = ${9 // 3}",
    ),
    "NC010": Explanation(
        "Write a value, or leave the line out.", CONVOLUTION, "kernel_size =", "kernel_size = 3"
    ),
    "NC011": Explanation(
        "Put the network's name above it, and use netcfg's own blocks.",
        "@[net]\nchannels = 3\n[convolutional]\nfilters = 8\nkernel_size = 3\n",
        "",
        "{Net}\n",
    ),
    "NC012": Explanation(
        "Mend the Python file; the finding names its line.",
        "from netcfg.blocks import @\n",
        "Blok",
        "Block",
        file="mine.py",
        given="`net.cfg` has the line `{include mine.py}`.",
    ),
    "NC013": Explanation(
        "Take the character out; it may have come with a text copied from a terminal.",
        NET + "[flatten]\n# @\n",
        "\x1b[31mred",
        "red",
    ),
    "NC014": Explanation(
        "Move the file below the program's folder, or trust both and say so: `--allow-outside`.",
        "{include @}\n" + NET + "[flatten]\n",
        "../../theirs/blocks.cfg",
        "blocks/vgg16.cfg",
        given="`../../theirs/blocks.cfg` is there.",
    ),
    "NC015": Explanation(
        "Shorten what doubles: variables make texts of at most "
        "65,536 characters, and includes are nested 64 deep at most.",
        "{General}\n[variables]\na = " + "0123456789" * 8 + "\n@" + NET + "[flatten]\n",
        "".join(f"{new} = ${old}${old}${old}${old}\n" for old, new in pairwise("abcdefg")),
        "".join(f"{new} = ${old}\n" for old, new in pairwise("abcdefg")),
    ),
    "NC101": Explanation(
        "Use a reserved name as it is written, or begin the group with [net].",
        NET + "[flatten]\n{@}\n[variables]\nwidth = 8\n",
        "Genral",
        "General",
    ),
    "NC102": Explanation(
        "Use a block of the list that `netcfg blocks` prints, or write one of your own.",
        ANY,
        "[flaten]",
        "[flatten]",
    ),
    "NC103": Explanation(
        "Use an option of the block's page, `netcfg blocks convolutional`.",
        CONVOLUTION,
        "kernel_size = 3\nstrid = 2",
        "kernel_size = 3\nstride = 2",
    ),
    "NC104": Explanation(
        "Write the option; its page says what it takes.", CONVOLUTION, "", "kernel_size = 3"
    ),
    "NC105": Explanation(
        "Write a value of the type and range that the page states.",
        CONVOLUTION,
        "kernel_size = -3",
        "kernel_size = 3",
    ),
    "NC106": Explanation(
        "Take one of the two lines out.", CONVOLUTION, "kernel_size = 3\nkernel_size = 5", "kernel_size = 3"
    ),
    "NC107": Explanation(
        "Give each block a name of its own.",
        ANY,
        "[identity]\nname = a\n[flatten]\nname = a",
        "[identity]\nname = a\n[flatten]\nname = b",
    ),
    "NC108": Explanation(
        "Declare the variable in {General}, [variables].",
        "@" + NET + "[convolutional]\nfilters = $width\nkernel_size = 3\n",
        "",
        "{General}\n[variables]\nwidth = 8\n",
    ),
    "NC109": Explanation(
        "Rename one of the two, or take it out.",
        NET + "[flatten]\n{@}\n[net]\nchannels = 1\n[flatten]\n",
        "Net",
        "Other",
    ),
    "NC110": Explanation("Break the circle.", "{Define a}\n[@]\n" + NET + "[a]\n", "a", "identity"),
    "NC111": Explanation(
        "Use letters, digits and underscores, and no word that PyTorch's modules use.",
        ANY,
        "[flatten]\nname = forward",
        "[flatten]\nname = onward",
    ),
    "NC112": Explanation(
        "Put [net] first in its network, and only there.",
        "{Net}\n@",
        "[flatten]\n[net]\nchannels = 3\n",
        "[net]\nchannels = 3\n[flatten]\n",
    ),
    "NC113": by_command(
        "Name a preset that the file declares as `[preset NAME]`.",
        "netcfg check net.cfg --preset @",
        "dmo",
        "demo",
    ),
    "NC114": Explanation(
        "Use a function of the page `netcfg blocks activation`, or `None`.",
        CONVOLUTION,
        "kernel_size = 3\nactivation = rleu",
        "kernel_size = 3\nactivation = relu",
    ),
    "NC115": Explanation(AUDETNET, "{include audetnet.cfg}\n@", "{General}\n[notes]\nwritten_by = us\n", ""),
    "NC116": Explanation(
        "Give each row as many cells as there are columns, of names that the block has.",
        "{Table sizes}\nfilters kernel_size\n8 3@\n" + NET + "[convolutional]\nrows = sizes\n",
        " 5",
        "",
    ),
    "NC117": Explanation(
        "Do as the message says: whoever wrote the network or template wrote that, too.",
        "{Define half}\n[parameters]\nfilters\n[expect]\nthat = ${filters % 2 == 0}\n"
        "message = filters must be even, not $filters\n"
        "[convolutional]\nfilters = ${filters // 2}\nkernel_size = 1\n" + NET + "[half]\nfilters = @\n",
        "7",
        "8",
    ),
}

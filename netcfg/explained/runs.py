"""NC5xx to NC8xx: data, files of weights, sections of one's own, and what only a command meets."""

from __future__ import annotations

from netcfg.explained.explanation import Explanation, by_command
from netcfg.explained.programs import SMALL, TRAINED

BLOCK = '''"""A block of one's own."""

from netcfg.blocks import Block


class Mine(Block, name="mine"):
    """Gives what it reads, as it is.

    Shapes: as given.
    Example::

        [mine]                 # 3x8x8 -> 3x8x8
    """

    def shape(self, x):
        return HERE

    def inline(self, x):
        return x
'''
MINE = "`net.cfg` includes `mine.py` and uses `[mine]`."
TRANSFORM = '''"""A transform of one's own."""

import os

from netcfg.blocks import Transform


class Mine(Transform, name="mine"):
    """Leaves samples as they are.

    Example::

        [mine]
    """

    def lower(self, fields):
        return change


def change(sample, random):
    @
    return sample
'''

SECOND = (
    "[synthetic_faces]\nname = other\naction_units = 6, 12\nimage_size = 16\n"
    "[leave_out]\nfields = @\nsource = other\n[joined]\n"
)
JOINED = TRAINED.replace("[synthetic_faces]\n", "[synthetic_faces]\nname = own\n", 1).replace(
    "{Net}\n", SECOND + "{Net}\n", 1
)

RUNS: dict[str, Explanation] = {
    "NC501": Explanation(
        "Name a field that the data have; `netcfg data show` lists them.",
        TRAINED.replace("target = labels", "target = @"),
        "lables",
        "labels",
    ),
    "NC502": Explanation(
        "Give the data what the finding names.",
        TRAINED.replace("{Net}\n", "[noise]\ninput = @\nname = noisy\n{Net}\n", 1),
        "picture",
        "image",
    ),
    "NC503": Explanation(
        "Divide them all by 255, or take those that belong to pictures from 0 to 1.",
        TRAINED.replace("{Net}\n", "[normalise]\nmean = @\n{Net}\n", 1),
        "129, 105, 94",
        "0.506, 0.412, 0.369",
    ),
    "NC504": by_command(
        "Copy or convert the file that is named: pictures are png, jpg, bmp, webp or tiff of whole numbers, videos "
        "what OpenCV opens.",
        "netcfg predict RUN @",
        "half_a_picture.png",
        "whole.png",
    ),
    "NC505": by_command(
        "Mend the line or entry that is named; the pages of the sources say how each file is written.",
        "netcfg data show @",
        "clips_with_a_label_of_7",
        "clips_with_labels_of_0_and_1",
    ),
    "NC506": by_command(
        "Give the data what is named, or an option that asks for less: fewer `action_units`, another `fold`.",
        "netcfg data show @",
        "empty",
        "flowers",
    ),
    "NC507": Explanation(
        "Write the option that the finding offers, if it says what the numbers mean; `pair_by` and `first_frame` say "
        "how frames are counted.",
        "{Data}\n[clips]\npath = recordings\nlabels = recordings/labels.csv\naction_units = 1, 2\nimage_size = 16\n@"
        + SMALL,
        "",
        "first_frame = 0\n",
        "netcfg data show net.cfg",
        given="Frames in `recordings` count from 0, labels from 1.",
    ),
    "NC508": by_command(
        "Give frames of one clip in their order, of one size, and two at least.",
        "netcfg flow @ -o flow",
        "one.png",
        "folder_of_frames",
    ),
    "NC509": Explanation(
        "Have networks read what all joined sources give, and compare what one of them has.",
        JOINED,
        "image",
        "labels",
    ),
    "NC601": by_command(
        "Name a file that is there.", "netcfg eval RUN --weights @", "nowhere.safetensors", "best"
    ),
    "NC602": by_command(
        "Use the weights of this network, or say with `adapt` how they are to fit.",
        "netcfg eval RUN --weights @",
        "of_another.safetensors",
        "best",
    ),
    "NC603": by_command(
        "Fetch or write the file again.", "netcfg eval RUN --weights @", "half_a_file.safetensors", "best"
    ),
    "NC701": Explanation(
        "Mend the line of the Python file that is shown below the finding.",
        BLOCK.replace("HERE", "x if @ else x"),
        "x.channels == 3",
        "x[0] == 3",
        file="mine.py",
        given=MINE,
    ),
    "NC702": Explanation(
        "Let the section declare what it gives, or give what it declares; `--verify` says more.",
        BLOCK.replace("HERE", "@"),
        "(*x[:2], x[2] + 1)",
        "x",
        "netcfg train net.cfg",
        "mine.py",
        MINE,
    ),
    "NC703": Explanation(
        "Mend the package, or uninstall it.",
        "import @\n",
        "jsno",
        "json",
        "netcfg blocks",
        "their_sections.py",
        "A package is installed whose sections stand in `their_sections`.",
    ),
    "NC704": Explanation(
        "Nothing, where the copy is meant; else train anew with the changed file.",
        BLOCK.replace("HERE", "x").replace("as it is", "@"),
        "as it was",
        "as it is",
        "netcfg train --resume RUN",
        "mine.py",
        "`RUN` is a run of a file that includes `mine.py`, as it stands below.",
    ),
    "NC801": by_command(
        "Do what the help line says; `netcfg COMMAND --help` lists the options.",
        "netcfg graph net.cfg @ -o a.svg",
        "--phase adam",
        "--training --phase adam",
    ),
    "NC802": by_command(
        "Look at the name; paths count from where netcfg is started.",
        "netcfg eval @",
        "runs/not_there",
        "RUN",
    ),
    "NC803": by_command(
        "Name a new place, or move away what lies there: nothing is overwritten.",
        "netcfg train net.cfg --run-dir @",
        "RUN",
        "NEW",
    ),
    "NC804": by_command(
        "Make room, or name a place that may be written; the reason is the system's.",
        "netcfg zoo alexnet -o @",
        "/nowhere/my.cfg",
        "my.cfg",
    ),
    "NC805": by_command(
        "Wait for the other process, or give another folder.",
        "netcfg sweep net.cfg --over rate=0.1 --run-dir @",
        "RUNS",
        "OTHERS",
        "Another process sweeps into `RUNS`.",
    ),
    "NC806": Explanation(
        "Mostly memory was short: fewer `--workers` or `--jobs`, or a smaller batch. `--resume` goes on.",
        TRANSFORM,
        "os.abort()",
        "pass",
        "netcfg train net.cfg --workers 1",
        "mine.py",
        "`net.cfg` includes `mine.py` and has `[mine]` below its source.",
    ),
    "NC807": by_command(
        "Take another device, leave the option out, or install what is named.",
        "netcfg train net.cfg --device @",
        "cuda:77",
        "cpu",
    ),
    "NC808": Explanation(
        "Export another network of the program, or write the block that is named in other blocks.",
        SMALL.replace("[flatten]", "@\n[flatten]"),
        "[random]\nshape = 4",
        "[identity]",
        "netcfg export net.cfg -o net.py",
    ),
    "NC809": by_command(
        "Put the file back from where the run was copied; its weights can be judged by themselves.",
        "netcfg eval @",
        "HALF_COPIED",
        "RUN",
    ),
}

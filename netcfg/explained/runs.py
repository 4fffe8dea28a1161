"""NC5xx to NC8xx: data, files of weights, sections of one's own, and what only a command meets."""

from __future__ import annotations

from netcfg.explained.explanation import Explanation, by_command
from netcfg.explained.programs import TRAINED

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
        "netcfg predict RUN half_a_picture.png",
    ),
    "NC505": by_command(
        "Mend the line or entry that is named; the pages of the sources say how each file is written.",
        "netcfg data show FOLDER_WITH_A_LABEL_OF_7",
    ),
    "NC506": by_command(
        "Give the data what is named, or an option that asks for less: fewer `action_units`, another `fold`.",
        "netcfg data show EMPTY_FOLDER",
    ),
    "NC507": by_command(
        "Write the option that the finding offers, if it says what the numbers mean; `pair_by` and `first_frame` say "
        "how frames are counted.",
        "netcfg data show FRAMES_FROM_0_AND_LABELS_FROM_1",
    ),
    "NC508": by_command(
        "Give frames of one clip in their order, of one size, and two at least.",
        "netcfg flow one.png -o flow",
    ),
    "NC509": Explanation(
        "Have networks read what all joined sources give, and compare what one of them has.",
        JOINED,
        "image",
        "labels",
    ),
    "NC601": by_command("Name a file that is there.", "netcfg eval RUN --weights nowhere.safetensors"),
    "NC602": by_command(
        "Use the weights of this network, or say with `adapt` how they are to fit.",
        "netcfg eval RUN --weights of_another.safetensors",
    ),
    "NC603": by_command(
        "Fetch or write the file again.", "netcfg eval RUN --weights half_a_file.safetensors"
    ),
    "NC701": by_command(
        "Mend the line of the Python file that is shown below the finding.", "netcfg check with_my_block.cfg"
    ),
    "NC702": by_command(
        "Let the section declare what it gives, or give what it declares; `--verify` says more.",
        "netcfg blocks --verify my_block.py",
    ),
    "NC703": by_command("Mend the package, or uninstall it.", "netcfg blocks"),
    "NC704": by_command(
        "Nothing, where the copy is meant; else train anew with the changed file.",
        "netcfg train --resume RUN",
    ),
    "NC801": by_command(
        "Do what the help line says; `netcfg COMMAND --help` lists the options.",
        "netcfg graph net.cfg --phase main -o a.svg",
    ),
    "NC802": by_command(
        "Look at the name; paths count from where netcfg is started.", "netcfg eval runs/not_there"
    ),
    "NC803": by_command(
        "Name a new place, or move away what lies there: nothing is overwritten.",
        "netcfg train net.cfg --run-dir RUN",
    ),
    "NC804": by_command(
        "Make room, or name a place that may be written; the reason is the system's.",
        "netcfg zoo alexnet -o /nowhere/my.cfg",
    ),
    "NC805": by_command(
        "Wait for the other process, or give another folder.",
        "netcfg sweep net.cfg --over seed=0,1 --run-dir RUNS",
    ),
    "NC806": by_command(
        "Mostly memory was short: fewer `--workers` or `--jobs`, or a smaller batch. `--resume` goes on.",
        "netcfg train net.cfg",
    ),
    "NC807": by_command(
        "Take another device, leave the option out, or install what is named.",
        "netcfg train net.cfg --device cuda:7",
    ),
    "NC808": by_command(
        "Export another network of the program, or write the block that is named in other blocks.",
        "netcfg export net.cfg -o net.py",
    ),
}

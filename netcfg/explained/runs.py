"""NC5xx and NC6xx: data and files of weights."""

from __future__ import annotations

from netcfg.explained.explanation import Explanation, by_command
from netcfg.explained.programs import TRAINED

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
}

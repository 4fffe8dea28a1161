"""`netcfg completion bash | zsh | fish`: a script for a shell, which then completes without starting Python."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from netcfg.codes import CODES
from netcfg.passes.read import shipped_folder

SHELLS = ("bash", "zsh", "fish")
_SECTION = re.compile(r"^class \w+\(.*\bname=\"(\w+)\"", re.MULTILINE)


@dataclass(frozen=True)
class Words:
    """What may stand behind a command: its options, the choices of those that have them, and names of its own."""

    options: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    names: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "Print a script with which a shell completes commands, options and their choices, names of blocks, of the zoo "
        "and of codes, and files."
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell reads it")


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    commands = dict(_commands())
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell](commands), end="")
    return 0


def _commands() -> Iterator[tuple[str, Words]]:
    """Every command with what its own parser takes."""
    from netcfg.cli.main import COMMANDS

    named = {
        "blocks": _sections(),
        "zoo": [file.stem for file in sorted((shipped_folder() / "zoo").glob("*.cfg"))],
        "explain": list(CODES),
    }
    for command in COMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"netcfg.cli.{command}").add_arguments(parser)
        names = list(named.get(command, ()))
        choices: dict[str, tuple[str, ...]] = {}
        flags: list[str] = []
        for action in _actions(parser, names):
            flags += [option for option in action.option_strings if option.startswith("--")]
            if action.choices and action.option_strings:
                choices |= {option: tuple(map(str, action.choices)) for option in action.option_strings}
            elif action.choices:
                names += [str(one) for one in action.choices]
        yield command, Words(tuple(dict.fromkeys(flags)), choices, tuple(names))


def _actions(parser: argparse.ArgumentParser, names: list[str]) -> Iterator[argparse.Action]:
    """Its arguments; of a command with verbs, theirs, and the verbs are names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            names += list(action.choices)
            for verb in action.choices.values():
                yield from _actions(verb, names)
        elif action.help != argparse.SUPPRESS:
            yield action


def _sections() -> list[str]:
    """The names of all section types, from the files in which they stand: to import them takes longer."""
    folder = Path(__file__).parent.parent / "blocks"
    texts = (file.read_text("utf-8") for file in sorted(folder.glob("*/*.py")))
    return sorted({name for text in texts for name in _SECTION.findall(text)})


def _bash(commands: dict[str, Words]) -> str:
    lines = [
        "# netcfg's completion for bash; written by `netcfg completion bash`.",
        "_netcfg() {",
        '    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" word',
        '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        '        if [[ "$word" != -* ]]; then command="$word"; break; fi',
        "    done",
        "    local words=()",
        '    case "$command $before" in',
    ]
    for command, words in commands.items():
        for option, chosen in words.choices.items():
            lines.append(f'        "{command} {option}") words=({_spaced(chosen)}) ;;')
    lines += ["    esac", "    if [[ ${#words[@]} -eq 0 ]]; then", '        case "$command" in']
    lines.append(f'            "") words=({_spaced(commands)} --help --version) ;;')
    lines += [
        f"            {command}) words=({_spaced((*words.options, *words.names))}) ;;"
        for command, words in commands.items()
    ]
    lines += [
        "        esac",
        "    fi",
        '    COMPREPLY=($(compgen -W "${words[*]}" -- "$current"))',
        '    if [[ "$current" != -* && -n "$command" ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi',
        "}",
        "complete -o filenames -F _netcfg netcfg",
    ]
    return "\n".join(lines) + "\n"


def _zsh(commands: dict[str, Words]) -> str:
    lines = [
        "#compdef netcfg",
        "# netcfg's completion for zsh; written by `netcfg completion zsh`.",
        "local command before=${words[CURRENT-1]}",
        "command=${${words[2,CURRENT-1]:#-*}[1]}",
        'case "$command $before" in',
    ]
    for command, words in commands.items():
        for option, chosen in words.choices.items():
            lines.append(f'    "{command} {option}") compadd -- {_spaced(chosen)}; return ;;')
    lines += [
        "esac",
        'case "$command" in',
        f'    "") compadd -- {_spaced(commands)} --help --version; return ;;',
    ]
    lines += [
        f"    {command}) compadd -- {_spaced((*words.options, *words.names))} ;;"
        for command, words in commands.items()
    ]
    return "\n".join([*lines, "esac", "_files"]) + "\n"


def _fish(commands: dict[str, Words]) -> str:
    from netcfg.cli.main import COMMANDS

    lines = ["# netcfg's completion for fish; written by `netcfg completion fish`."]
    for command, words in commands.items():
        purpose = COMMANDS[command].replace("'", "\\'")
        lines.append(f"complete -c netcfg -n __fish_use_subcommand -a {command} -d '{purpose}'")
        here = f"complete -c netcfg -n '__fish_seen_subcommand_from {command}'"
        for option in words.options:
            chosen = words.choices.get(option)
            lines.append(f"{here} -l {option[2:]}" + (f" -x -a '{' '.join(chosen)}'" if chosen else ""))
        if words.names:
            lines.append(f"{here} -a '{' '.join(words.names)}'")
    return "\n".join(lines) + "\n"


def _spaced(words: Sequence[str] | dict[str, Words] | tuple[str, ...]) -> str:
    return " ".join(words)

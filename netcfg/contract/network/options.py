"""Options that are read and then forgotten: at another value everything is as before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from netcfg.axes import Kind
from netcfg.blocks.base import Block, ShapeError
from netcfg.contract.breach import Breach
from netcfg.contract.network.case import Case, Shapes
from netcfg.contract.seeds import seeded
from netcfg.contract.variations import Variation, variations

Varied = list[Variation[Block]]


def own_options_aside(block: Block) -> frozenset[str]:
    """The options that are not varied: those of every block, and those that name signals."""
    return frozenset(Block.model_fields) | {block.reference_option, *block.roles}


def varied(block: Block, shapes: Shapes) -> Varied:
    """The block with each of its own options at other values, as far as it takes these shapes."""

    def accept(section: Block) -> str | None:
        return refusal(section, shapes)

    return list(variations(block, own_options_aside(block), accept))


def refusal(block: Block, shapes: Shapes) -> str | None:
    """Why it cannot take these shapes; None where it can, or where its `shape` fails, which is a finding of its own."""
    try:
        block.shape(*shapes)
    except ShapeError as error:
        return str(error)
    except Exception:
        return None
    return None


def without_effect(block: Block, shapes: Shapes, found: Varied) -> Iterator[Breach]:
    """The options with which nothing changes, whatever the choices beside them.

    What is refused at another value is obeyed: the option says what must be.
    """
    options = dict.fromkeys(variation.option for variation in found)
    idle = [option for option in options if not _has_effect(block, shapes, option, found)]
    for other in found:  # an option may belong to a choice: `slope` to `leaky_relu`
        if not idle:
            return
        if other.section is None:
            continue
        beside = varied(other.section, shapes)
        idle = [
            option
            for option in idle
            if option == other.option or not _has_effect(other.section, shapes, option, beside)
        ]
    for option in idle:
        case = Case(block, shapes, next(one.text for one in found if one.option == option))
        yield case.breach("option", f"`{option}`", "that nothing changes with it", "shape, inline or lower")


def roles_without_effect(case: Case) -> Iterator[Breach]:
    """The roles that are written, and whose signal changes nothing: neither its numbers nor its sizes."""
    written = case.block.written_roles()
    for place, role in enumerate(written, len(case.shapes) - len(written)):
        if not (_sizes_matter(case, place) or case.is_heavy or _numbers_matter(case, place)):
            yield case.breach("option", f"`{role}`", "that nothing changes with its signal", "shape or lower")


def _sizes_matter(case: Case, place: int) -> bool:
    longer = tuple(size + 1 for size in case.shapes[place])
    shapes = (*case.shapes[:place], longer, *case.shapes[place + 1 :])
    if (
        refusal(case.block, shapes) is not None
    ):  # what must fit is obeyed, too; its numbers are another question
        return False
    return Case(case.block, shapes).declared() != case.declared()


def _numbers_matter(case: Case, place: int) -> bool:
    """In training or in evaluation, with the same chance."""
    import torch

    inputs = case.inputs()
    # Others in another order, too: a block may go by that alone.
    others = [1 - value if index == place else value for index, value in enumerate(inputs)]
    for training in (False, True):
        made = []
        for given in (inputs, others):
            computation = case.computation().train(training)
            with torch.no_grad(), seeded(4):
                made.append(computation(*[value.clone() for value in given]))
        if any(not torch.equal(value, made[1][port]) for port, value in made[0].items()):
            return True
    return False


def _has_effect(block: Block, shapes: Shapes, option: str, found: Varied) -> bool:
    tried = [variation for variation in found if variation.option == option]
    if any(variation.section is None for variation in tried):
        return True
    base = Case(block, shapes)
    return any(
        _differ(base, Case(variation.section, shapes)) for variation in tried if variation.section is not None
    )


def _differ(one: Case, other: Case) -> bool:
    return any(look(one) != look(other) for look in LOOKS)


_USUAL_AXES = {1: "F", 2: "LF", 3: "CHW", 4: "TCHW"}


# --- what an option may change, cheap things first


def _declared(case: Case) -> object:
    """Its shapes, and what it says these count and hold."""
    axes = tuple(_USUAL_AXES.get(len(shape), "") for shape in case.shapes)
    kinds: list[Kind] = ["number" for _ in case.shapes]
    return case.declared(), case.block.axes(*axes), case.block.kind(*kinds)


def _parameters(case: Case) -> object:
    module = case.computation("meta" if case.is_heavy else "cpu").module
    named = module.named_parameters() if module is not None else ()
    return [(name, value.shape, value.requires_grad) for name, value in named]


def _at_first(case: Case) -> object:
    """The parameters and buffers from one seed."""
    if case.is_heavy:
        return None
    return _digest([value for _, value in sorted(case.computation().state().items())])


def _evaluated(case: Case) -> object:
    return None if case.is_heavy else _run(case, False)


def _of_almost_nothing(case: Case) -> object:
    """What keeps a division from zero shows near zero."""
    return None if case.is_heavy else _run(case, False, 1e-11)


def _trained(case: Case) -> object:
    """Outputs, gradients and buffers of a training step."""
    return None if case.is_heavy else _run(case, True)


def _run(case: Case, training: bool, scale: float = 1.0) -> str:
    import torch

    with seeded(5):
        computation = case.computation(seed=4).train(training)
        inputs = case.inputs(3, grad=training)
        fed = [value * scale if scale != 1 and value.is_floating_point() else value for value in inputs]
        given = [value for value in computation(*fed).values() if value.is_floating_point()]
        wanted = [*(value for value in inputs if value.requires_grad), *computation.trained()]
        total = torch.stack([(value * value).sum() for value in given]).sum() if given else torch.zeros(())
        found = torch.autograd.grad(total, wanted, allow_unused=True) if total.requires_grad else ()
    gradients = [value for value in found if value is not None]
    return _digest([*given, *gradients, *computation.state().values()])


def _digest(values: list[object]) -> str:
    """Equal for equal numbers, to the last bit."""
    import torch

    made = hashlib.sha256()
    for value in values:
        assert isinstance(value, torch.Tensor)
        made.update(str(value.shape).encode() + value.detach().contiguous().numpy().tobytes())
    return made.hexdigest()


def _planned(case: Case) -> object:
    """What the plan of a step asks, and where weights come from."""
    block = case.block
    return block.draws_each_phase(), block.depends_on_batch(), block.stops_gradient, block.weights_file()


LOOKS: tuple[Callable[[Case], object], ...] = (
    _declared, _planned, _parameters, _at_first, _evaluated, _trained, _of_almost_nothing,
)  # fmt: skip

"""Clips and rows of several lengths in one batch: every block makes of each what it makes of it alone."""

import pytest
import torch

import netcfg
from netcfg.builder.network import build_network
from netcfg.source import NetcfgError

LENGTHS = torch.tensor([5, 2, 7, 3, 7])


def network(blocks: str, size: str = "frames = T\nfeatures = 6", extra: str = "") -> torch.nn.Module:
    program = netcfg.load(f"{{Net}}\n[net]\n[input]\nname = rows\n{size}\n{extra}\n{blocks}\n")
    torch.manual_seed(0)
    return build_network(program.networks["Net"]).eval()


def alone_and_together(net: torch.nn.Module, x: torch.Tensor, kept: str) -> None:
    """One sample at a time without padding, and all at once with lengths; `kept` is what becomes of the length."""
    together = net(x, lengths={"T": LENGTHS})
    for sample, length in enumerate(LENGTHS.tolist()):
        alone = net(x[sample : sample + 1, :length])
        ours, theirs = together[sample], alone[0]
        if kept:
            assert len(theirs) == eval(kept, {"T": length})
            ours = ours[: len(theirs)]
        assert torch.allclose(ours, theirs, atol=1e-6), (sample, length)


CONVOLUTION = "[convolutional]\nfilters = 4\nkernel_size = 3\npad = 1"
ROWS = {
    "[frame_mean]": "",
    "[frame_max]": "",
    "[frame]\nindex = -1": "",
    "[frame_attention]": "",
    "[frame_attention]\nactivation = softmax": "",
    "[lstm]\nhidden = 4": "T",
    "[lstm]\nname = r\nhidden = 4\nbidirectional = True\nlayers = 2\n[route]\nfrom = r.last": "",
    "[gru]\nhidden = 4\nbidirectional = True": "T",
    "[rnn]\nname = r\nhidden = 4\n[route]\nfrom = r.last": "",
    "[self_attention]\nheads = 2": "T",
    "[self_attention]\nheads = 2\ncausal = True": "T",
    "[class_token]\n[self_attention]\nheads = 2": "T + 1",
    "[reduce]\ndimension = frames": "",
    "[reduce]\ndimension = frames\nwith = std": "",
    "[reduce]\ndimension = frames\nwith = logsumexp": "",
    "[softmax]\ndim = 1": "T",
    "[convolutional]\nfilters = 4\nkernel_size = 3\npad = True\nbatch_normalise = 1": "T",
    f"{CONVOLUTION}\n{CONVOLUTION}\nstride = 2\n[frame_mean]": "",
    "[maxpool]\npool_size = 2\nstride = 2": "T // 2",
    "[global_avgpool]": "",
    "[batch_norm]\n[layer_norm]\n[frame_mean]": "",
    "[instance_norm]": "T",
    "[formula]\nvalue = softmax(rows, over = frames) * rows": "T",
    "[formula]\nvalue = mean(rows, over = frames)": "",
    "[connected]\noutput_features = 3\nactivation = relu\n[dropout]\n[frame_max]": "",
    "[connected]\noutput_features = 3\nover = frames\n[frame_max]": "",
    "[token]\nindex = -1\ndimension = frames": "",
}


@pytest.mark.parametrize("blocks", ROWS, ids=lambda text: " ".join(text.split()))
def test_what_mixes_a_row_knows_how_long_it_is(blocks: str) -> None:
    net = network(blocks)
    x = torch.randn(5, 7, 6)
    x[torch.arange(7) >= LENGTHS.unsqueeze(1)] = float("nan")  # padding, which nothing may read
    alone_and_together(net, x, ROWS[blocks])


def test_without_lengths_all_of_it_counts() -> None:
    net = network("[frame_mean]")
    x = torch.randn(2, 4, 6)
    assert torch.equal(net(x), x.mean(1))
    assert torch.equal(net(x, lengths={"T": torch.tensor([4, 4])}), x.mean(1))


CLIPS = "frames = T\nchannels = 3\nheight = 8\nwidth = 8"


@pytest.mark.parametrize(
    "blocks",
    [
        "[convolutional]\nfilters = 4\nkernel_size = 3\nover = frames\nbatch_normalise = 1\n[frame_mean]",
        "[convolutional]\nfilters = 4\nkernel_size = 3, 3, 3\npad = True\n[frame_max]",
        "[batch_norm]\n[frame_mean]",
    ],
)
def test_clips_likewise(blocks: str) -> None:
    alone_and_together(network(blocks, CLIPS), torch.randn(5, 7, 3, 8, 8), "")


@pytest.mark.parametrize("statistics", ["all", "each_frame"])
def test_padding_is_no_sample_of_batch_statistics(statistics: str) -> None:
    net = network(
        f"[convolutional]\nname = c\nfilters = 4\nkernel_size = 3\nover = frames\nstatistics = {statistics}\n"
        "batch_normalise = 1",
        CLIPS,
    ).train()
    x = torch.randn(5, 7, 3, 8, 8)
    made = net(x, lengths={"T": LENGTHS})
    there = torch.arange(7) < LENGTHS.unsqueeze(1)
    groups = [there] if statistics == "all" else [there & (torch.arange(7) == place) for place in range(7)]
    for group in groups:
        frames = made[group]
        assert torch.allclose(frames.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
        if len(frames) > 1:
            assert torch.allclose(frames.var((0, 2, 3), unbiased=False), torch.ones(4), atol=1e-2)


def test_rows_beside_others_of_another_length() -> None:
    other = "[input]\nname = others\ntokens = M\nfeatures = 6"
    net = network("[cross_attention]\nfrom = rows, others\nheads = 2\n[frame_mean]", extra=other)
    rows, keys = torch.randn(5, 7, 6), torch.randn(5, 4, 6)
    many = torch.tensor([4, 1, 2, 4, 3])
    together = net(rows, keys, lengths={"T": LENGTHS, "M": many})
    for sample in range(5):
        alone = net(rows[sample : sample + 1, : LENGTHS[sample]], keys[sample : sample + 1, : many[sample]])
        assert torch.allclose(together[sample], alone[0], atol=1e-6)


def test_gradients_are_those_of_samples_alone() -> None:
    net = network("[gru]\nhidden = 4\n[frame_attention]")
    x = torch.randn(5, 7, 6)
    net(x, lengths={"T": LENGTHS}).sum().backward()
    together = [weight.grad.clone() for weight in net.parameters()]
    net.zero_grad()
    for sample, length in enumerate(LENGTHS.tolist()):
        net(x[sample : sample + 1, :length]).sum().backward()
    for ours, weight in zip(together, net.parameters(), strict=True):
        assert torch.allclose(ours, weight.grad, atol=1e-5)


def test_batch_statistics_along_frames_of_several_lengths_are_refused_in_training() -> None:
    net = network("[convolutional]\nfilters = 4\nkernel_size = 3\npad = True\nbatch_normalise = 1").train()
    with pytest.raises(netcfg.NetcfgError, match="take the normalisation out"):
        net(torch.randn(5, 7, 6), lengths={"T": LENGTHS})


def test_no_input_is_called_like_the_lengths() -> None:
    with pytest.raises(netcfg.ProgramError, match="give it another name"):
        netcfg.load("{Net}\n[net]\n[input]\nname = lengths\nfeatures = 3\n[connected]\noutput_features = 1")


@pytest.mark.parametrize("body", ["[lstm]\nhidden = 3\n", "[frame_mean]\n", "[self_attention]\nheads = 2\n"])
@pytest.mark.parametrize(
    ("size", "lengths", "said"),
    [
        (5, [3, 0], r"sample 1 of the batch has no place: the lengths \[3, 0\] are given"),
        (5, [6, 3], "sample 0 of the batch is said to be 6 long, and its row has 5 places: 2×5×4"),
        (0, None, "rows of no place are given, 2×0×4"),
    ],
)
def test_lengths_that_no_sample_has_are_refused(
    body: str, size: int, lengths: list[int] | None, said: str
) -> None:
    text = "{N}\n[net]\n[input]\nname = s\nframes = T\nfeatures = 4\n" + body
    network = netcfg.build(netcfg.load(text))["N"]
    given = {} if lengths is None else {"lengths": {"T": torch.tensor(lengths)}}
    with pytest.raises(NetcfgError, match=said):
        network(torch.zeros(2, size, 4), **given)


def test_a_sample_of_which_a_pooling_leaves_nothing_is_told() -> None:
    text = "{N}\n[net]\n[input]\nname = s\nframes = T\nfeatures = 4\n"
    text += "[maxpool]\npool_size = 2\nstride = 2\n[lstm]\nhidden = 3\n"
    network = netcfg.build(netcfg.load(text))["N"]
    with pytest.raises(NetcfgError, match="sample 1 of the batch is too short, 1 long"):
        network(torch.zeros(2, 6, 4), lengths={"T": torch.tensor([6, 1])})

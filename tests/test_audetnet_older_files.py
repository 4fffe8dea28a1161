"""Files of any version of AUDetNet's code train unchanged; what has no effect is said once, and slips stay errors."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.source import Finding

FILE = """{General}
[training_options]
batch_size=4
max_epochs=1
max_test_iters=1
train_main_net_every_n_batches=1
[data_options]
regress_au_intensities=False
[loss_options]
au_regression_loss_function=BCEWithLogits
reconstruction_loss_function=L1
discriminator_loss_lambda=0.01
gradient_loss_lambda=0.25
reconstruction_loss_lambda=0.1
{Encoder}
[net]
channels=3
[convolutional]
batch_normalise=1
filters=16
kernel_size=256
stride=1
pad=0
activation=relu
{AUPredictor}
[net]
channels=8
[batch_norm]
num_features=8
eps=1e-5
[connected]
output_features=12
activation=linear
use_bias=False
{Decoder}
[net]
channels=16
[upsample]
output_sizes=None
scale_factor=256
mode=bilinear
[convolutional]
batch_normalise=0
filters=3
kernel_size=3
stride=1
pad=1
activation=tanh
{Discriminator}
[net]
channels=16
[connected]
output_features=1
activation=linear
use_bias=True
"""


def checked(text: str) -> tuple[netcfg.Program | None, list[Finding]]:
    return netcfg.check(text)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    "before",
    [
        "num_features=8",
        "output_features=12",
        "scale_factor=256",
        "batch_size=4",
        "max_epochs=1",
        "[data_options]",
    ],
)
@pytest.mark.parametrize("key", ["batch_norm_dim=2", "momentum_of_old=0.9", "learning_rate_of_all=None"])
def test_what_the_original_never_reads_is_said_and_has_no_effect(before: str, key: str) -> None:
    text = FILE.replace(f"{before}\n", f"{before}\n{key}\n", 1)
    program, findings = checked(text)
    plain, _ = checked(FILE)
    assert program is not None
    assert plain is not None
    (found,) = findings
    assert (found.code, found.severity) == ("NC115", "warning")
    assert f"`{key.partition('=')[0]}` (line {line_of(text, key)})" in found.message
    assert program.resolved == plain.resolved


@pytest.mark.parametrize(
    ("before", "key"),
    [("batch_size=4", "learning_rate=0.1"), ("pad=0", "padding=3"), ("use_bias=False", "bias=True")],
)
def test_words_that_only_begin_alike_or_are_written_properly_too_are_no_slips(before: str, key: str) -> None:
    program, findings = checked(FILE.replace(f"{before}\n", f"{before}\n{key}\n", 1))
    assert program is not None
    assert [finding.code for finding in findings] == ["NC115"]


def test_many_lines_of_several_keys_are_one_finding_that_lists_them() -> None:
    text = FILE.replace("pad=0\n", "pad=0\nbatch_norm_dim=2\n").replace(
        "pad=1\n", "pad=1\nbatch_norm_dim=2\nspare=1\n"
    )
    _, findings = checked(text)
    (found,) = findings
    first = line_of(text, "batch_norm_dim")
    second = line_of(text, "batch_norm_dim=2\nspare")
    assert f"`batch_norm_dim` (lines {first}, {second}) and `spare` (line {second + 1})" in found.message


@pytest.mark.parametrize(
    ("right", "slip"),
    [
        ("channels=8", "learning_rat=0.1"),
        ("num_features=8", "epss=1e-4"),
        ("max_epochs=1", "batchsize=8"),
        ("regress_au_intensities=False", "epoch_sise=8"),
        ("pad=0", "initialisation=kaiming_uniform"),
    ],
)
def test_nearly_an_option_is_an_error(right: str, slip: str) -> None:
    text = FILE.replace(f"{right}\n", f"{right}\n{slip}\n", 1)
    program, findings = checked(text)
    assert program is None
    (error,) = [finding for finding in findings if finding.severity == "error"]
    assert (error.code, error.span and error.span.line) == ("NC103", line_of(text, slip))
    assert "did you mean" in (error.help or "")


def test_outside_audetnets_files_unknown_options_are_errors() -> None:
    _, findings = netcfg.check("{Net}\n[net]\nchannels = 3\n[batch_norm]\nbatch_norm_dim = 2\n[flatten]\n")
    assert [(finding.code, finding.severity) for finding in findings] == [("NC103", "error")]


def test_an_older_name_of_a_weight_counts_where_the_newer_one_is_not_written() -> None:
    program, findings = checked(FILE)
    assert program is not None
    assert "0.25 * pair_penalty" in program.resolved
    assert "`gradient_loss_lambda` (line 13) is read as `gradient_loss_lambda_discr`" in findings[0].message
    newer = FILE.replace("gradient_loss_lambda=", "gradient_loss_lambda_discr=3\ngradient_loss_lambda=")
    program, findings = checked(newer)
    assert program is not None
    assert "3 * pair_penalty" in program.resolved
    assert [finding.message for finding in findings] == [
        "AUDetNet passes over `gradient_loss_lambda` (line 14), and so it is here"
    ]


def test_a_critic_that_trains_needs_its_weights_and_one_that_does_not_needs_none() -> None:
    without = FILE.replace("gradient_loss_lambda=0.25\n", "").replace("discriminator_loss_lambda=0.01\n", "")
    _, findings = checked(without)
    assert [(finding.code, finding.severity) for finding in findings] == [("NC104", "error")]
    assert "`gradient_loss_lambda_discr` and `discriminator_loss_lambda`" in findings[0].message
    program, findings = checked(without[: without.index("{Discriminator}")])
    assert program is not None
    assert findings == []


def test_samples_are_balanced_only_where_the_file_says_so() -> None:
    program, _ = checked(FILE)
    assert program is not None
    assert "[momu]" not in program.resolved
    size = "epoch_size=24\nsampling_size=12\nbalance_dataset_with_momu=True\n"
    program, _ = checked(FILE.replace("[loss_options]", f"{size}[loss_options]"))
    assert program is not None
    assert "[momu]" in program.resolved


@pytest.mark.parametrize(
    ("mean", "std", "key"), [("129, 105, 94", "1, 1, 1", "mean"), ("0, 0, 0", "58, 57, 57", "std")]
)
def test_numbers_of_0_to_255_for_pictures_of_0_to_1_are_doubted_at_their_line(
    mean: str, std: str, key: str
) -> None:
    options = f"mean={mean}\nstd={std}\n"
    text = FILE.replace("gradient_loss_lambda", "gradient_loss_lambda_discr").replace(
        "[loss_options]", f"{options}[loss_options]"
    )
    program, findings = checked(text)
    assert program is not None
    (found,) = findings
    assert (found.code, found.severity) == ("NC503", "warning")
    assert found.span is not None
    assert found.span.line == line_of(text, f"{key}=")


def test_the_doubt_names_numbers_that_do_the_same_on_the_right_scale() -> None:
    own = "{Data}\n[synthetic_faces]\n[normalise]\nmean = 127.5\nstd = 51\n{Net}\n[net]\nchannels = 3\n[flatten]\n"
    _, findings = netcfg.check(own)
    (found,) = [finding for finding in findings if finding.code == "NC503"]
    assert found.help is not None
    assert "`mean = 0.5` and `std = 0.2`" in found.help

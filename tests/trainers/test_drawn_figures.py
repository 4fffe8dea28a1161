"""Matrices and curves as files of a run's folder."""

from netcfg.results import Curve, Evaluation, Matrix
from netcfg.trainers.reporting.figures import write_figures

MATRIX = Matrix("confusion_matrix", ("a", "b, c"), ("a", "b, c"), ((3, 1), (None, 2)), "actual", "predicted")
CURVES = {
    "auc AU6": Curve("AU6", (0.0, 0.5, 1.0), (0.0, None, 1.0), "false alarms", "found", picture="roc"),
    "auc AU12": Curve("AU12", (0.0, 1.0), (0.0, 1.0), "false alarms", "found", picture="roc"),
}


def test_each_is_a_picture_and_a_table(tmp_path):
    judged = Evaluation(matrices={MATRIX.name: MATRIX}, curves=CURVES)
    drawn = dict(write_figures(tmp_path / "figures", {"validation": judged, "test": Evaluation()}))
    assert list(drawn) == ["validation_confusion_matrix", "validation_roc"]
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())
    files = {path.name for path in (tmp_path / "figures").iterdir()}
    assert files == {f"{name}.{kind}" for name in drawn for kind in ("csv", "png", "svg")}
    table = (tmp_path / "figures/validation_confusion_matrix.csv").read_text()
    assert table == 'actual / predicted,a,"b, c"\na,3,1\n"b, c",,2\n'
    lines = (tmp_path / "figures/validation_roc.csv").read_text().splitlines()
    assert lines == [
        "curve,false alarms,found",
        "AU6,0.0,0.0",
        "AU6,0.5,",
        "AU6,1.0,1.0",
        "AU12,0.0,0.0",
        "AU12,1.0,1.0",
    ]
    first = (tmp_path / "figures/validation_roc.svg").read_bytes()
    list(write_figures(tmp_path / "figures", {"validation": judged}))
    assert (tmp_path / "figures/validation_roc.svg").read_bytes() == first


def test_nothing_to_draw_leaves_no_folder(tmp_path):
    assert list(write_figures(tmp_path / "figures", {"validation": Evaluation()})) == []
    assert not (tmp_path / "figures").exists()

"""How optical flow is found and drawn, by name: what `[optical_flow]`, `[synthetic_faces]` and `netcfg flow` offer."""

from typing import Literal

FlowMethod = Literal["dis", "dis_fast", "dis_ultrafast", "farneback", "tvl1", "deepflow"]
FlowEncoding = Literal["per_frame", "fixed"]
DEFAULT_LIMIT = 20.0  # pixels between two frames; what is faster is drawn as if it were not

"""Networks that leave: as a readable file of plain PyTorch, as a traced program, as ONNX."""

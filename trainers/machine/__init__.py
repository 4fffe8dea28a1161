"""The machine: devices, memory, processes, interruptions."""

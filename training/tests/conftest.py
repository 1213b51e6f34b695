"""One thread: tests are small, and threads that wait for one another are slow."""

from __future__ import annotations

import torch

torch.set_num_threads(1)

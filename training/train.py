"""Train a denoiser and write its weights, card and checkpoint.

python -m training.train --variant quality --device cuda --minutes 24 --out out
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch

from pixtools.engine.denoise import graph
from training import card
from training.networks import Denoiser
from training.options import Options, parsed
from training.photos import held_out
from training.trainer import LOG, Trainer
from training.validation import baseline


def main() -> None:
    started = time.monotonic()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s"
    )
    options = parsed(sys.argv[1:])
    torch.set_num_threads(options.threads)
    # Validation and export speak of float32, and mean it.
    torch.backends.cudnn.allow_tf32 = False
    trainer = Trainer(options, started)
    trainer.run()
    exported(trainer, options)


def exported(trainer: Trainer, options: Options) -> Path:
    """Write the averaged weights as ONNX beside their card; return where."""
    network = trainer.average.network.cpu()
    weights = {name: part.numpy() for name, part in network.state_dict().items()}
    path = options.out / f"denoise-{options.variant.name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph.model(options.variant, weights), path)
    story = told(trainer, options, difference(path, network))
    card.written(path.with_suffix(".json"), path, options.variant, story)
    LOG.info("Wrote %s, finished: %s", path, trainer.finished)
    return path


def told(trainer: Trainer, options: Options, apart: float) -> card.Story:
    progress, photos = trainer.progress, held_out(options.sizes.crop)
    return {
        "commands": progress["commands"],
        "seed": options.seed,
        "device": device_name(options.device),
        "finished": trainer.finished,
        "minutes": round(progress["seconds"] / 60.0, 2),
        "steps": progress["steps"],
        "patches": progress["patches"],
        "patch_side": options.sizes.patch,
        "photographs": progress["photographs"],
        "validated_on": [photo.name for photo in photos],
        "validation_crop": options.sizes.crop,
        "psnr": progress["history"][-1]["psnr"],
        "psnr_noisy": baseline(photos),
        "export_difference": apart,
        "history": progress["history"],
    }


def difference(path: Path, network: Denoiser) -> float:
    """Return how far ONNX Runtime and PyTorch are apart, at most; -1 without it."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        return -1.0
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(1).random((1, 3, 48, 62), dtype=np.float32)
    sigma = np.full((1, 1, 1, 1), 0.1, np.float32)
    given = {"image": picture, "sigma": sigma}
    named = {part.name: given[part.name] for part in session.get_inputs()}
    (answer,) = session.run(["denoised"], named)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(picture), torch.from_numpy(sigma).flatten())
    return float(np.abs(answer - wanted.numpy()).max())


def device_name(device: str) -> str:
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"cpu, {torch.get_num_threads()} thread(s)"


if __name__ == "__main__":
    main()

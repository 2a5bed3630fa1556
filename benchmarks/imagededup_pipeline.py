"""imagededup as its user would run it, for `benchmarks.duplicates_scale`: METHOD FOLDER -> one line of JSON.

Runs under an interpreter that has imagededup (and torch), which need not be the one of poxlens; imports nothing
of poxlens.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

try:
    import torchvision  # noqa: F401
except RuntimeError:  # linked against CUDA beside a CPU torch: two operators must be declared first
    import torch

    for module in [module for module in sys.modules if module.split(".")[0] == "torchvision"]:
        del sys.modules[module]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from imagededup.methods import CNN, PHash  # noqa: E402

if __name__ == "__main__":
    start = time.perf_counter()
    method = {"phash": PHash, "cnn": CNN}[sys.argv[1]](verbose=False)
    encodings = method.encode_images(sys.argv[2])
    encoded = time.perf_counter()
    found = method.find_duplicates(encoding_map=encodings)
    done = time.perf_counter()
    pairs = sorted({tuple(sorted((one, other))) for one, others in found.items() for other in others})
    print(json.dumps({"seconds": [encoded - start, done - encoded], "pairs": pairs}))

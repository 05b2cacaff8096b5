"""The sections of what is promised: a stated risk, and the truth within an interval."""

from __future__ import annotations

from typing import Any

import pandas as pd
from page_parts import table
from scipy.stats import binomtest


def risk(record: dict[str, Any]) -> str:
    """Resplits in which the risk was kept, of each seed, and the fewest with their exact interval."""
    times, names = record["resplits"], {"bi_encoder-cross_encoder": "separate", "joint-joint": "joint"}
    frame = pd.DataFrame(record["cells"])
    frame["confidence"] = [f"{at:g}" if at > 0 else "broken" for at in frame["confidence"]]
    rows = []
    for (models, way, bound, at), own in frame.groupby(["models", "direction", "risk", "confidence"], sort=False):
        fewest = int(own["kept_population"].min())
        low, high = binomtest(fewest, times).proportion_ci(method="exact")
        rows.append(
            {
                "models": names.get(models, models),
                "direction": way,
                "risk": bound,
                "confidence": at,
                f"kept of {times}, by seed": ", ".join(map(str, own["kept_population"])),
                "fewest, %": f"{100 * fewest / times:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
                "kept on the others": ", ".join(map(str, own["kept_others"])),
                "lost by the others, %": f"{100 * own['others'].mean():.1f}",
                "pairs a query": f"{own['pairs'].mean():.1f}",
                "lost on test, %": ", ".join(f"{100 * one['lost']:.1f}" for one in own["test"]),
            }
        )
    about = (
        f"{record['dev_images'] + record['test_images']} images of the scenes' dev and test, resplit {times} times: calibrated on "
        f"{record['dev_images']}, to re-rank at most {record['depth']} candidates. *Kept*: at most the risk is lost of all "
        "images, which is what calibration promises; on *the others*, which it has not seen, chance comes on top. *Broken* is "
        "without confidence, each query counted alone. *Lost on test* is the run's own split."
    )
    return f"{about}\n\n{table(rows)}"


def coverage(record: dict[str, Any]) -> str:
    frame = pd.DataFrame(record["rows"])
    rows = [
        {"images": images, "truth, %": truth}
        | {
            f"{row['measure']}: {row['method']}": f"{row['coverage']:.1f} ({row['width']:.1f})"
            for row in own.to_dict("records")
        }
        for (images, truth), own in frame.groupby(["images", "truth"])
    ]
    about = (
        f"Trials, in percent, in which the interval of 95 % holds the truth, and its mean width in points; {record['trials']:,} "
        f"trials a cell, captions of one image correlated by {record['shared']:g}. *Bounded* is what this product reports, "
        "*percentile* the usual bootstrap over images."
    )
    return f"{about}\n\n{table(rows)}"

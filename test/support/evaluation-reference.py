"""Values a policy by an Open Bandit log with plain loops, by the formulas of docs/evaluation.md.

Usage: evaluation-reference.py LOG TARGET
TARGET is "uniform", or JSON of item and chance; chances are taken as they are, the same at each position.
Prints JSON: {"estimates": {name: {"value", "low", "high"}}, "ess", "overlap", "maxWeight"}.
"""

import csv
import json
import math
import sys

Z = 1.959963984540054
PRIOR = 2

log, target = sys.argv[1], sys.argv[2]
with open(log, newline="") as file:
    rows = [
        (line["item_id"], int(line["position"]), float(line["click"]), float(line["propensity_score"]))
        for line in csv.DictReader(file)
    ]
n = len(rows)
items = sorted({item for item, _, _, _ in rows})
chance = {item: 1 / len(items) for item in items} if target == "uniform" else json.loads(target)


def interval(value, influence):
    error = math.sqrt(math.fsum(x * x for x in influence) * n / (n - 1)) / n
    return {"value": value, "low": value - Z * error, "high": value + Z * error}


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values)


def of_terms(terms):
    value = mean(terms)
    return interval(value, [term - value for term in terms])


# The reward model: of each half of the rows, the mean of an item at a position, drawn towards the mean of that half.
halves = [[row for index, row in enumerate(rows) if index % 2 == half] for half in (0, 1)]
half_mean = [mean(reward for _, _, reward, _ in half) for half in halves]
counts = [{}, {}]
sums = [{}, {}]
for half, some in enumerate(halves):
    for item, position, reward, _ in some:
        counts[half][item, position] = counts[half].get((item, position), 0) + 1
        sums[half][item, position] = sums[half].get((item, position), 0.0) + reward


def model(half, item, position):
    cell = (item, position)
    return (sums[half].get(cell, 0.0) + PRIOR * half_mean[half]) / (counts[half].get(cell, 0) + PRIOR)


positions = sorted({position for _, position, _, _ in rows})
expected = [
    {p: math.fsum(share * model(half, item, p) for item, share in chance.items()) for p in positions} for half in (0, 1)
]
weights = [chance.get(item, 0.0) / propensity for item, _, _, propensity in rows]
rewards = [reward for _, _, reward, _ in rows]
shown = [model((index + 1) % 2, item, position) for index, (item, position, _, _) in enumerate(rows)]
wanted = [expected[(index + 1) % 2][position] for index, (_, position, _, _) in enumerate(rows)]

# How much each reward moves the mean of `wanted`: through its cell, and through the mean of its half.
uses = [{p: sum(1 for index, row in enumerate(rows) if (index + 1) % 2 == half and row[1] == p) for p in positions} for half in (0, 1)]
through_mean = [
    math.fsum(
        uses[half][p] * share * PRIOR / (counts[half].get((item, p), 0) + PRIOR) for p in positions for item, share in chance.items()
    )
    / len(halves[half])
    for half in (0, 1)
]
leverage = [
    uses[index % 2][position] * chance.get(item, 0.0) / (counts[index % 2][item, position] + PRIOR) + through_mean[index % 2]
    for index, (item, position, _, _) in enumerate(rows)
]

limit = math.sqrt(n)
corrected = [q + w * (r - s) for q, w, r, s in zip(wanted, weights, rewards, shown)]
size = mean(weights)
ratio = mean(w * r for w, r in zip(weights, rewards)) / size if size > 0 else 0.0
direct = mean(wanted)
ever = {(item, position) for item, position, _, _ in rows}
print(
    json.dumps(
        {
            "estimates": {
                "ips": of_terms([w * r for w, r in zip(weights, rewards)]),
                "snips": interval(ratio, [w * (r - ratio) / size for w, r in zip(weights, rewards)]),
                "dm": interval(direct, [q - direct + g * (r - s) for q, g, r, s in zip(wanted, leverage, rewards, shown)]),
                "dr": of_terms(corrected),
                "switchDr": of_terms([c if w <= limit else q for c, w, q in zip(corrected, weights, wanted)]),
                "clipped": of_terms([min(w, 10) * r for w, r in zip(weights, rewards)]),
            },
            "ess": sum(weights) ** 2 / math.fsum(w * w for w in weights),
            "overlap": mean(
                math.fsum(share for item, share in chance.items() if (item, position) in ever) for _, position, _, _ in rows
            ),
            "maxWeight": max(weights),
        }
    )
)

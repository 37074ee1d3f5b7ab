"""Ranking measures by numpy alone, written apart from the product: reads a log and the name of a split, prints JSON.

Definitions: docs/policies.md. Lines of the log: user, item, rating, time, separated by tabs, without a header.
"""

import hashlib
import json
import sys

import numpy as np

log, split = sys.argv[1:]
rows = [tuple(int(field) for field in line.split("\t")) for line in open(log) if line.strip()]
if split == "md5":
    tests = [int(hashlib.md5(f"{u}:{i}".encode()).hexdigest()[:8], 16) % 5 == 0 for u, i, _, _ in rows]
elif split == "time":
    order = sorted(range(len(rows)), key=lambda n: (rows[n][3], rows[n][0], rows[n][1]))
    late = set(order[len(rows) * 8 // 10:])
    tests = [n in late for n in range(len(rows))]
else:
    last = {}
    for n, (u, i, _, t) in enumerate(rows):
        if u not in last or (t, i) > (rows[last[u]][3], rows[last[u]][1]):
            last[u] = n
    chosen = set(last.values())
    tests = [n in chosen for n in range(len(rows))]

users = {u: n for n, u in enumerate(sorted({row[0] for row in rows}))}
items = {i: n for n, i in enumerate(sorted({row[1] for row in rows}))}
train = np.zeros((len(users), len(items)))
test = np.zeros((len(users), len(items)))
for (u, i, _, _), is_test in zip(rows, tests):
    (test if is_test else train)[users[u], items[i]] = 1
test[train > 0] = 0

gram = train.T @ train
counts = np.diag(gram).copy()
off = gram - np.diag(counts)

covisitation = np.divide(off, counts[:, None], out=np.zeros_like(off), where=counts[:, None] > 0)
similarity = off / (np.sqrt(np.outer(counts, counts)) + 10)
knn = np.zeros_like(similarity)
for target in range(len(items)):
    near = np.lexsort((np.arange(len(items)), -similarity[:, target]))[:100]
    knn[near, target] = similarity[near, target]
inverse = np.linalg.inv(gram + 500 * np.eye(len(items)))
ease = -inverse / np.diag(inverse)[None, :]
np.fill_diagonal(ease, 0)


def measure(scores):
    ndcg, recall, hits = [], [], []
    for user in range(len(users)):
        if not (train[user].any() and test[user].any()):
            continue
        ranked = np.round(scores[user], 12)
        ranked[train[user] > 0] = -np.inf
        top = np.lexsort((np.arange(len(items)), -ranked))[:10]
        top = [item for item in top if ranked[item] > -np.inf]
        gains = [test[user, item] for item in top]
        discounts = 1 / np.log2(np.arange(2, 12))
        wanted = int(test[user].sum())
        ndcg.append(np.dot(gains, discounts[:len(gains)]) / discounts[:min(10, wanted)].sum())
        recall.append(sum(gains) / wanted)
        hits.append(sum(gains) > 0)
    return {"ndcg10": float(np.mean(ndcg)), "recall10": float(np.mean(recall)), "hitRate10": float(np.mean(hits))}


print(json.dumps({
    "users": int(sum(train[n].any() and test[n].any() for n in range(len(users)))),
    "popular": measure(np.tile(counts, (len(users), 1))),
    "covisitation": measure(train @ covisitation),
    "knn": measure(train @ knn),
    "ease": measure(train @ ease),
}))

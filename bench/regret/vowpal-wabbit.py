"""Plays worlds with Vowpal Wabbit: reads requests as lines of JSON, one world a line, and writes regret and best per part.

Each world: {"options": "...", "parts": 4, "requests": [{"person": {...}, "context": {...}, "items": [{"id", "category"}],
"expected": [...], "rewards": [...]}]}. The rewards are those that all other players get.
"""

import json
import random
import sys

from vowpalwabbit import Workspace


def shared_line(request):
    facts = {**request["person"]["traits"]}
    person = " ".join(f"{name}={value}" for name, value in facts.items())
    context = " ".join(f"{name}={value}" for name, value in request["context"].items())
    return f"shared |U {person} |C {context}"


def item_lines(request):
    return [f"|A id={item['id']} category={item['category']}" for item in request["items"]]


def play(world, number):
    workspace = Workspace(world["options"], quiet=True)
    chooser = random.Random(number)
    parts = world["parts"]
    length = len(world["requests"]) / parts
    regret, best = [0.0] * parts, [0.0] * parts
    for index, request in enumerate(world["requests"]):
        shared, items = shared_line(request), item_lines(request)
        chances = workspace.predict([shared, *items])
        chosen = chooser.choices(range(len(chances)), weights=chances)[0]
        labelled = list(items)
        labelled[chosen] = f"0:{-request['rewards'][chosen]}:{chances[chosen]} {items[chosen]}"
        workspace.learn([shared, *labelled])
        most = max(request["expected"])
        part = int(index / length)
        regret[part] += most - request["expected"][chosen]
        best[part] += (request["expected"][chosen] > most - 0.07) / length
    workspace.finish()
    return {"regret": regret, "best": best}


for number, line in enumerate(sys.stdin):
    print(json.dumps(play(json.loads(line), number)), flush=True)

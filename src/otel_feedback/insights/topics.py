"""What prompts are about: groups of prompts with alike words, called by the terms that are typical of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from otel_feedback.insights import texts

MOST_TOPICS: Final = 12
_PROMPTS_PER_TOPIC: Final = 50
_TERMS_OF_A_NAME: Final = 4
_SEED: Final = 20
_MOST_TERMS: Final = 3000


def topics(prompts: Sequence[str], fewest: int) -> list[str]:
    """The topic of each prompt, "" for one without words. All are "" where there are too few prompts for two topics.

    K-means over TF-IDF, of a fixed seed: the same prompts have the same topics. Ratings have no part in it.
    """
    rows = [row for row, text in enumerate(prompts) if text.strip()]
    found = [""] * len(prompts)
    count = min(MOST_TOPICS, len(rows) // _PROMPTS_PER_TOPIC)
    if count < 2:
        return found
    vectorizer = TfidfVectorizer(analyzer=texts.terms, min_df=fewest, max_df=0.5, max_features=_MOST_TERMS)
    try:
        weights = vectorizer.fit_transform([prompts[row] for row in rows])
    except ValueError:  # no term is in enough prompts
        return found
    names = vectorizer.get_feature_names_out()
    model = MiniBatchKMeans(count, random_state=_SEED, n_init=1, batch_size=1024, max_iter=20)
    with threadpool_limits(1):  # threads that wait for each other cost more than they save, and order sums at will
        numbers = model.fit_predict(weights)
    typical = [
        ", ".join(names[term] for term in np.argsort(-center, kind="stable")[:_TERMS_OF_A_NAME] if center[term] > 0)
        for center in model.cluster_centers_
    ]
    for row, number in zip(rows, numbers, strict=True):
        found[row] = typical[number]
    return found

"""A tiny transformer with random weights, saved as the real ones are: model, tokenizer, labels."""

import numpy as np

WORDS = "profit loss rose fell strong weak the company said a new order in market shares".split()
TEXTS = ["profit rose", "the company said a loss fell in the market", "", "strong", "?? unknown"]


def some_texts(n, seed=0, longest=90):
    """Texts of very different lengths."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(n)]


def save_tiny_bert(folder, labels=("positive", "negative", "neutral"), seed=0, head=True):
    """Write the model to a folder; weights are large enough that texts differ."""
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification
    from transformers import BertTokenizerFast as Tokenizer
    from transformers.utils import logging

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    config = BertConfig(
        vocab_size=len(names), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
        id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)},
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = (BertForSequenceClassification if head else BertForMaskedLM)(config)
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(8)
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    Tokenizer(vocab={name: i for i, name in enumerate(names)}).save_pretrained(folder)
    logging.enable_progress_bar()
    return folder

"""A language model of a few thousand weights, and a tokenizer that learned on the spot: real files, made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] or '' }}"
    "{% for call in message['tool_calls'] or [] %}{{ call | tojson }}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL: Final = ("<unk>", "<pad>", "<|im_start|>", "<|im_end|>")
_WORDS: Final = 600


def make_tiny_model(directory: Path, texts: list[str], template: str = TEMPLATE) -> Path:
    """Write model, tokenizer and chat template as a hub's repository has them."""
    import torch  # noqa: PLC0415  # only the finetune extra has it
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415  # as above
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: PLC0415  # as above

    words: Any = Tokenizer(models.BPE(unk_token=_SPECIAL[0]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=_WORDS, special_tokens=list(_SPECIAL), initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token=_SPECIAL[0], pad_token=_SPECIAL[1], eos_token=_SPECIAL[3]
    )
    if template:
        tokenizer.chat_template = template
    torch.manual_seed(1)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(shape).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory

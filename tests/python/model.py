"""A language model behind its real server: llama.cpp with half a megabyte of random weights. It writes nonsense, in the real protocol.

usage: model.py KEY. Says its address in a line, and serves until standard input ends.
"""

import os
import sys
import tempfile

import gguf
import numpy as np
import xllamacpp

DIM, HEADS, HIDDEN, BYTES = 64, 4, 128, 256


def write(path: str) -> None:
    """One layer, one token for each byte; the same file every time."""
    random = np.random.default_rng(7)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(BYTES)), "▁"]
    kind = gguf.TokenType
    kinds = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.BYTE] * BYTES, kind.NORMAL]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(4096)
    writer.add_embedding_length(DIM)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.encode() for token in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{% for message in messages %}{{ message.content }}\n{% endfor %}")

    def matrix(name: str, *shape: int) -> None:
        weights = random.standard_normal(shape) * 0.2
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))

    def ones(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(DIM, np.float32))

    matrix("token_embd", len(tokens), DIM)
    ones("output_norm")
    matrix("output", len(tokens), DIM)
    ones("blk.0.attn_norm")
    ones("blk.0.ffn_norm")
    for part in ("q", "k", "v", "output"):
        matrix(f"blk.0.attn_{part}", DIM, DIM)
    matrix("blk.0.ffn_gate", HIDDEN, DIM)
    matrix("blk.0.ffn_up", HIDDEN, DIM)
    matrix("blk.0.ffn_down", DIM, HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "tiny.gguf")
    write(path)
    params = xllamacpp.CommonParams()
    params.model.path = path
    # One slot gives the same text every time; several do not.
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 4096, 1, 1
    params.port, params.api_keys, params.warmup = 0, [sys.argv[1]], False
    server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)

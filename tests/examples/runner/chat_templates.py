#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Makes chat_templates.json: templates that use what those of published models use, and what Jinja
# itself makes of them, set up as Hugging Face's transformers does. Needs python3-jinja2.
#   tests/examples/runner/chat_templates.py >tests/examples/runner/chat_templates.json
import json

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LLAMA3 = """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set first = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set first = "" %}
{%- endif %}
{%- if not date is defined %}
    {%- set date = "26 Jul 2024" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today Date: " + date + "\\n\\n" }}
{{- first }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

THINKING = """{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(searching=true, latest=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == "user" and message.content is string and not(message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {%- set ns.searching = false %}
        {%- set ns.latest = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thoughts = '' %}
        {%- if message.thoughts is string %}
            {%- set thoughts = message.thoughts %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set thoughts = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.latest and (loop.last or (not loop.last and thoughts)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

FALCON = """{%- if tools %}
{{- '<|system|>\\n' + tools|tojson(indent=2) }}
{%- else %}
{%- for message in messages %}
{%- if message['role'] == 'system' %}
{{- '<|system|>\\n' + message['content'] + '\\n' }}
{%- elif message['role'] == 'user' %}
{{- '<|user|>\\n' + message['content'] + '\\n' }}
{%- elif message['role'] == 'assistant' %}
{%- if not loop.last %}
{{- '<|assistant|>\\n' + message['content'] + eos_token + '\\n' }}
{%- else %}
{{- '<|assistant|>\\n' + message['content'] + eos_token }}
{%- endif %}
{%- endif %}
{%- if loop.last and add_generation_prompt %}
{{- '<|assistant|>\\n' }}
{%- endif %}
{%- endfor %}
{%- endif %}"""

TEMPLATES = {
    "chatml": "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "llama3": LLAMA3,
    "bitnet": "{% set all = messages %}{% for m in all %}{% set content = m['role'] | capitalize + ': ' + "
    "m['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}",
    "thinking": THINKING,
    "falcon": FALCON,
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if (m['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = m['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}",
    "minicpm": "{% for m in messages %}{% if m['role'] == 'user' %}{{'<用户>' + m['content'].strip() + '<AI>'}}"
    "{% else %}{{m['content'].strip()}}{% endif %}{% endfor %}",
    "macro": "{%- macro line(role, text='') -%}\n[{{ role|upper }}]{{ ' ' ~ text if text else '' }}\n{%- endmacro -%}\n"
    "{% for m in messages if m.content %}\n{{ line(m.role, m.content|trim) }}\n{% endfor %}\n"
    "{{ line('assistant') if add_generation_prompt }}",
}

SYSTEM = {"role": "system", "content": " Be brief. "}
TALK = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "<think>\nA greeting.\n</think>\n\nHi there"},
    {"role": "user", "content": "  Ünïcode \"quoted\" <|im_end|> and\nlines  "},
]


def environment():
    def refuse(message):
        raise TemplateError(message)

    e = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                      extensions=["jinja2.ext.loopcontrols"])
    e.globals["raise_exception"] = refuse
    return e


def cases():
    for name, source in TEMPLATES.items():
        template = environment().from_string(source)
        for messages in (TALK[:1], TALK, TALK[:2], [SYSTEM] + TALK):
            for ask in (True, False):
                for think in (None, False, True) if name == "thinking" else (None,):
                    given = {} if think is None else {"enable_thinking": think}
                    case = {"template": name, "messages": messages, "ask": ask, "think": think}
                    try:
                        case["text"] = template.render(messages=messages, add_generation_prompt=ask,
                                                       bos_token="<s>", eos_token="</s>", **given)
                    except TemplateError as problem:
                        case["refused"] = str(problem)
                    yield case


print(json.dumps({"templates": TEMPLATES, "cases": list(cases())}, ensure_ascii=False, indent=1))

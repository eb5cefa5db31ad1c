"""One frozen settings object, read from the environment (``ZEMING_…``) and an optional ``zeming.toml``.

Comes in: environment, the file named by ``ZEMING_CONFIG`` or ``zeming.toml`` in the user's config folder.
Goes out: :class:`Settings`. Raises :class:`assistant.errors.SettingsError` with the name of the setting.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from assistant.errors import SettingsError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    """A data folder: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def _config_file() -> Path:
    named = os.environ.get("ZEMING_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("zeming")) / "zeming.toml"


class Settings(BaseSettings):
    """Every knob, with a default that works offline on a small machine."""

    model_config = SettingsConfigDict(env_prefix="ZEMING_", frozen=True, extra="forbid")

    data: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("zeming")),
        description="运行时写入的一切都放在这个文件夹",
    )
    knowledge: Path = Field(default_factory=lambda: _shipped("knowledge"), description="知识库文件夹")
    prompts: Path = Field(default_factory=lambda: _shipped("prompts"), description="措辞模板文件夹")

    embedding: Literal["builtin", "sentence-transformers", "openai"] = Field(
        "builtin", description="向量模型：内置、sentence-transformers、OpenAI 兼容接口"
    )
    embedding_model: str = Field("", description="模型名或本地路径（内置模型不需要）")
    embedding_url: str = Field("", description="OpenAI 兼容接口地址，如 http://127.0.0.1:8000/v1")
    embedding_key: SecretStr = Field(SecretStr(""), description="接口密钥")
    embedding_query_prefix: str = Field("", description="查询前缀（部分模型需要）")
    embedding_passage_prefix: str = Field("", description="段落前缀（部分模型需要）")
    embedding_timeout: float = Field(30.0, gt=0, description="接口超时，秒")

    store: Literal["embedded", "server"] = Field("embedded", description="Chroma：嵌入式或服务器")
    store_url: str = Field("", description="Chroma 服务器地址，如 http://127.0.0.1:8000")

    max_file_mb: int = Field(50, ge=1, description="添加的单个文件最大多少 MB")
    max_pages: int = Field(2000, ge=1, description="添加的 PDF 最多多少页")
    max_read_seconds: int = Field(180, ge=1, description="读一个文件最多用多少秒")

    host: str = Field("127.0.0.1", description="网页监听地址")
    site_names: str = Field("", description="别的电脑打开网页用的主机名，逗号分隔，如 zeming.lan")
    port: int = Field(7860, ge=1, le=65535, description="网页监听端口")
    max_question_chars: int = Field(6000, ge=100, description="一次提问的最多字数")
    workers: int = Field(2, ge=1, le=16, description="同时答复的进程数")
    questions_per_minute: int = Field(20, ge=1, description="每人每分钟最多问几次")
    tls_cert: Path | None = Field(None, description="网页证书文件（https）")
    tls_key: Path | None = Field(None, description="网页证书的私钥文件")

    model: str = Field("", description="大模型的名称，如 qwen2.5-72b-instruct；空为不用大模型")
    model_url: str = Field("", description="大模型的 OpenAI 兼容接口地址，如 http://127.0.0.1:8000/v1")
    model_key: SecretStr = Field(SecretStr(""), description="大模型的接口密钥（没有就不填）")
    model_key_file: Path | None = Field(None, description="写着大模型接口密钥的文件，与上一项只填一个")
    model_timeout: float = Field(20.0, gt=0, le=600, description="每次答复最多等大模型多少秒")
    model_retries: int = Field(1, ge=0, le=5, description="大模型忙或者出错时最多再试几次")
    model_concurrency: int = Field(2, ge=1, le=64, description="同时最多几个请求发给大模型")
    model_budget: int = Field(12000, ge=1, description="每次答复最多用大模型多少 token")
    model_uses: Literal["facts", "wording", "both"] = Field(
        "both", description="大模型用来读情况（facts）、写答复（wording）还是两样都用（both）"
    )

    keep_history: bool = Field(True, description="保存对话记录（姓名、号码等隐去后）；关掉就什么也不留")
    retention_days: int = Field(30, ge=1, le=3650, description="对话记录保留多少天")
    records_url: SecretStr = Field(
        SecretStr(""), description="记录存在哪里：空为数据文件夹里的 SQLite，也可写 postgresql:// 地址"
    )
    accounts: bool = Field(False, description="是否要求登录；监听本机以外的地址时必须打开")
    session_hours: float = Field(8.0, gt=0, description="多少小时不用就要重新登录")
    max_failures: int = Field(5, ge=1, description="连续输错几次密码后锁定")
    lock_minutes: float = Field(15.0, gt=0, description="锁定多少分钟")

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        """What belongs together for the language model. The values stay out of the sentences: they may hold a key."""
        if bool(self.model) != bool(self.model_url):
            lacking, given = ("MODEL_URL", "MODEL") if self.model else ("MODEL", "MODEL_URL")
            raise SettingsError(
                f"设置了 ZEMING_{given}，没有设置 ZEMING_{lacking}，请两样都写上，或者都去掉。"
            )
        if self.model_url and not _plain_address(self.model_url):
            raise SettingsError(
                "设置 ZEMING_MODEL_URL 不是可用的地址，请写成 http:// 或 https:// 开头、不带用户名密码和问号的地址，"
                "如 http://127.0.0.1:8000/v1。"
            )
        if self.model_key.get_secret_value() and self.model_key_file:
            raise SettingsError("ZEMING_MODEL_KEY 和 ZEMING_MODEL_KEY_FILE 只能设置一个，请去掉其中一个。")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _config_file())


def _plain_address(url: str) -> bool:
    """An http address of a host, with nothing in it that could be a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises where it is no number
    except ValueError:
        return False
    spoilt = "@" in parts.netloc or parts.query or parts.fragment or any(c.isspace() for c in url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not spoilt


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``overrides`` win over environment and file.

    Raises:
        SettingsError: a value that cannot be used; the message names the setting.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        field = Settings.model_fields.get(name)
        secret = field is not None and field.annotation is SecretStr
        value = "" if secret else f"“{first.get('input')}”"
        raise SettingsError(
            f"设置 ZEMING_{name.upper()} 的值{value}不可用（{first['msg']}），请改正后重试。"
        ) from (None if secret else error)
    except ValueError as error:  # a broken toml file
        raise SettingsError(f"配置文件 {_config_file()} 读不懂（{error}），请改正或移走后重试。") from error

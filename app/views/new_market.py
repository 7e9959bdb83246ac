"""New market: from a table to a model. Each step is stored in the bucket as a draft."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import actions, mapping, reads, source
from app.deployment import Deployment
from app.frame import errors, page
from app.people import Person
from app.text import code, plain, sentence
from contract.exceptions import ConfigError, LimitError
from contract.loading import Resolved, load_config
from contract.training import Preset
from job.gate import Outcome, Verdict
from mmm import configs, drafts
from mmm.configs import StoredConfig
from mmm.drafts import Draft
from mmm.plan import Plan
from mmm.progress import in_words

ICONS = {Outcome.BLOCK: st.error, Outcome.WARN: st.warning, Outcome.SKIP: st.info}
PRESETS = {
    Preset.TEST: "test: a first look, minutes",
    Preset.BENCHMARK: "benchmark: to compare settings",
    Preset.PRODUCTION: "production: for decisions, the longest",
}


def show() -> None:
    """Show the page."""
    command = "mmm init TABLE, mmm check CONFIG, mmm plan CONFIG, mmm save CONFIG, mmm publish"
    with page("New market", command=command) as (at, who):
        draft_id = st.query_params.get("draft")
        if draft_id:
            _continue(draft_id, at, who)
        else:
            _begin(at, who)


def _begin(at: Deployment, who: Person) -> None:
    begun = drafts.newest(at.store, by=who.name)
    if begun:
        with st.expander(f"Continue what you have begun ({len(begun)})"):
            for found, one in begun:
                label = f"{one.market}, {one.at:%Y-%m-%d %H:%M} UTC"
                if st.button(plain(label), key=f"draft-{found}"):
                    st.query_params["draft"] = found
                    st.rerun()
    st.subheader("1. The table")
    chosen = source.choose(at, who)
    left, right = st.columns(2)
    market = left.text_input("Market", placeholder="e.g. DE", max_chars=63, key="market").strip()
    revision = right.text_input("Revision", value="r1", max_chars=63, key="revision").strip()
    if st.button("Continue", type="primary", disabled=chosen is None):
        if not market:
            raise ConfigError("give the market a short name, e.g. DE")
        assert chosen is not None  # noqa: S101  the button is disabled without it
        actions.read_table(at, who, chosen)
        found = actions.begin_draft(at, who, chosen, market=market, revision=revision)
        st.query_params["draft"] = found
        st.rerun()


def _continue(draft_id: str, at: Deployment, who: Person) -> None:
    draft, generation = drafts.read(at.store, draft_id)

    def change(**fields: Any) -> None:
        with errors():
            actions.change_draft(at, who, draft_id, draft, generation, **fields)
            st.rerun()

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Market **{plain(draft.market)}**, revision {plain(draft.revision)}")
        if st.button("Begin with another table"):
            st.query_params.clear()
            st.rerun()
    st.subheader("2. What the columns mean")
    table = actions.read_table(at, who, draft.source, draft.answers.get("sheet"))
    mapping.sample(table)
    made = drafts.proposal(draft, table)
    mapping.questions(made, draft, change)
    mapping.roles(made, table, draft, change)
    if made.problem is not None:
        st.error(sentence(made.problem.message))
        return
    text = _text(made.text or "", draft, change)
    st.subheader("3. Data, time and money")
    resolved = load_config(text, origin="the config")
    if not _checked(resolved, draft, at, who, change):
        return
    st.subheader("4. Save and train")
    _save(text, draft, at, who, change)


def _text(proposed: str, draft: Draft, change: mapping.Change) -> str:
    presets = list(PRESETS)
    now = Preset(draft.preset)
    chosen = st.selectbox(
        "How long to search", presets, index=presets.index(now), format_func=PRESETS.__getitem__
    )
    if chosen is not now:
        change(preset=chosen.value)
    text = draft.text or proposed
    with st.expander("The config as text"):
        edited = st.text_area(
            "YAML; docs/config.md has every field", text, height=360, key=f"yaml-{hash(text)}"
        )
        if edited != text:
            load_config(edited, origin="the config")
            change(text=edited)
        if draft.text is not None:
            st.markdown("You have edited the text, so changes above are not in it.")
            if st.button("Back to the proposed text"):
                change(text=None)
    return text


def _checked(
    resolved: Resolved, draft: Draft, at: Deployment, who: Person, change: mapping.Change
) -> bool:
    """Check the data and plan the run when asked; return whether the run may begin."""
    digest = resolved.config.hash()
    done: dict[str, tuple[Verdict, Plan]] = st.session_state.setdefault("checked", {})
    if digest not in done:
        asked = draft.checked == digest  # in a session that is lost
        if not asked and not st.button("Check the data and plan the run", type="primary"):
            return False
        with st.spinner("Reading and checking the data …"):
            done.clear()
            done[digest] = actions.check_config(at, who, resolved)
        if not asked:
            change(checked=digest)
    verdict, plan = done[digest]
    _findings(verdict)
    _figures(plan)
    for problem in plan.over:
        st.error(sentence(problem))
    if plan.changes:
        with st.expander(f"{len(plan.changes)} changes against the current run's config"):
            changes = [(one.field, str(one.before), str(one.after)) for one in plan.changes]
            st.dataframe(pd.DataFrame(changes, columns=["Field", "Before", "After"]))
    if plan.over:
        raise LimitError("the run would exceed its limits; change `limits` or the search")
    return verdict.status is not Outcome.BLOCK


def _figures(plan: Plan) -> None:
    """Show the time and the money; a range where it is not known which engine the job uses."""
    each = [plan.estimate, *([plan.other] if plan.other else [])]
    times = list(dict.fromkeys(in_words(s) for s in sorted(one.seconds for one in each)))
    money = list(dict.fromkeys(_money(m) for m in sorted(one.amount for one in each)))
    work = plan.estimate.work
    with st.container(horizontal=True):
        st.metric("Time", " to ".join(times))
        st.metric("Money", f"{' to '.join(money)} {plan.estimate.currency}")
        st.metric("Periods of data", f"{work.rows:,}")
        st.metric("Trials", f"{work.trials:,}")
        st.metric("Engine", " or ".join(one.work.engine for one in each))
    if plan.other:
        st.markdown(
            "`training.engine` is auto: the job uses Robyn if its image has Robyn, and the "
            "built-in engine if not. This console cannot look into that image, so it shows both. "
            "Set `training.engine` to have one figure."
        )


def _money(amount: float) -> str:
    return "under 0.01" if amount < 0.01 else f"{amount:,.2f}"


def _findings(verdict: Verdict) -> None:
    passed = len(verdict.findings(Outcome.PASS))
    facts = (
        f"{verdict.rows} rows, {verdict.first_date} to {verdict.last_date}; {passed} checks passed"
    )
    st.markdown(f"**{verdict.status.value}.** {plain(facts)}.")
    for finding in verdict.problems():
        ICONS[finding.outcome](sentence(finding.sentence))


def _save(text: str, draft: Draft, at: Deployment, who: Person, change: mapping.Change) -> None:
    known = {one.name: one for one in reads.configs()}
    free = configs.suggest_name(draft.market, known)
    name = st.text_input("Name of the config", value=draft.name or free, key="name").strip()
    stored = configs.read(at.store, name)
    if name != draft.name:  # what its author sees now is what a save may replace
        change(name=name, seen=stored.generation if stored else 0, saved=0)
    if stored is not None and stored.generation == draft.saved and stored.body == text:
        st.success(f"Saved as {code(configs.address(at.store, name))}.")
        _train(name, draft, at, who, change)
        return
    if stored is not None and stored.generation != draft.saved:
        _other_version(stored, draft, change)
    if st.button("Save the config", type="primary"):
        saved = actions.save_config(at, who, name, text, seen=draft.seen)
        reads.forget()
        change(seen=saved.generation, saved=saved.generation, request=None)


def _other_version(stored: StoredConfig, draft: Draft, change: mapping.Change) -> None:
    who = plain(stored.saved or "It was saved by other means")
    if stored.generation == draft.seen:
        st.info(
            f"{code(stored.name)} exists. {who}. Your version becomes the newest one, and that one "
            "is kept. To keep both in use, choose another name."
        )
    else:
        st.warning(
            f"{code(stored.name)} has a newer version than the one you have seen. {who}. Nothing "
            "is overwritten."
        )
        if st.button("I have read it; mine replaces it"):
            change(seen=stored.generation)
    with st.expander("That version"):
        st.code(stored.text, language="yaml", height=300)


def _train(name: str, draft: Draft, at: Deployment, who: Person, change: mapping.Change) -> None:
    key = draft.request
    if key is None:
        if st.button("Train", type="primary"):
            change(request=actions.new_key())
        return
    if st.session_state.get("requested") != key and reads.run_of(key) is None:
        actions.start_run(at, who, name, key=key)  # sent again, it is the same run
        st.session_state["requested"] = key
        reads.forget()

    @st.fragment(run_every=1.0)
    def wait() -> None:
        with errors():
            run_id = reads.run_of(key)
            if run_id is None:
                st.info("The request is published. The run begins within seconds.")
            else:
                st.switch_page("views/run.py", query_params={"run": run_id})

    wait()


if __name__ == "__main__":
    show()

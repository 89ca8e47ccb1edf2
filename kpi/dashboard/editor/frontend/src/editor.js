// CodeMirror as a Streamlit component. The text belongs to the browser; Python says what is wrong with it and where.
//
// From Python: text and revision (a new revision replaces the text), label, problems [{line, key, message}] with checked, the
// number of the text that they are of, schema and words for completion, and readonly.
// To Python: the state "draft", {text, number, revision, base}, a moment after the last key and at once when the editor is left.
// What isn't saved is kept in the browser's tab, so that a reload or another page of it loses nothing.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { yaml } from "@codemirror/lang-yaml"
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language"
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint"
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search"
import { Compartment, EditorState } from "@codemirror/state"
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view"
import { tags } from "@lezer/highlight"
import { completionsAt } from "./completing.js"

/** Milliseconds after the last key until Python is asked. */
const PAUSE_MS = 250
/** Milliseconds after Escape in which Tab leaves the editor. */
const LEAVING_MS = 10000

const KEPT = "north-star draft"

/** What this tab kept: {text, base}, or null; a browser may forbid keeping. */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT))
  } catch {
    return null
  }
}

function keep(draft) {
  try {
    if (draft === null) sessionStorage.removeItem(KEPT)
    else sessionStorage.setItem(KEPT, JSON.stringify(draft))
  } catch {
    // nothing is kept then
  }
}

const theme = EditorView.theme({
  "&": { color: "var(--st-text-color)", backgroundColor: "var(--editor-panel)", fontSize: "13px", height: "100%" },
  ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--st-text-color)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--st-text-color)" },
  ".cm-gutters": { backgroundColor: "var(--editor-panel)", color: "var(--editor-quiet)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--st-primary-color) 8%, transparent)" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--st-primary-color) 28%, transparent)",
  },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--st-primary-color) 16%, transparent)" },
  ".cm-tooltip, .cm-panels": {
    backgroundColor: "var(--st-background-color)",
    color: "var(--st-text-color)",
    border: "1px solid var(--st-border-color)",
    borderRadius: "8px",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--st-primary-color)", color: "var(--st-background-color)" },
  ".cm-completionInfo": { maxWidth: "340px", padding: "6px 10px" },
  ".cm-completionDetail": { color: "inherit", opacity: 0.75 },
  ".cm-diagnostic-error": { borderLeftColor: "var(--st-red-text-color)" },
  ".cm-button, .cm-textfield": {
    backgroundImage: "none",
    backgroundColor: "var(--st-secondary-background-color)",
    color: "var(--st-text-color)",
    border: "1px solid var(--st-border-color)",
    borderRadius: "6px",
  },
  ".cm-foldPlaceholder": { backgroundColor: "var(--st-secondary-background-color)", color: "inherit", borderColor: "var(--st-border-color)" },
})

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--st-primary-color)", fontWeight: "600" },
  { tag: tags.comment, color: "var(--editor-quiet)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--st-orange-text-color)" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--editor-quiet)" },
])

const instances = new WeakMap()

function completing(instance) {
  return context => {
    const line = context.state.doc.lineAt(context.pos)
    const lines = context.state.doc.toString().split("\n")
    const found = completionsAt(lines, line.number - 1, context.pos - line.from, instance.data)
    if (!found) return null
    const typed = context.pos - line.from - found.from
    return context.explicit || typed > 0 ? { from: line.from + found.from, options: found.options, validFor: /^[\w.*-]*$/ } : null
  }
}

/** The text, kept in this tab where it differs from what was handed in. */
function keptNow(instance) {
  const text = instance.view.state.doc.toString()
  keep(text === instance.data.text ? null : { text, base: instance.base })
  return text
}

/** Let the next Tab leave the editor: one Escape is enough, also where it closes a completion. */
function leaving(event, view) {
  if (event.key === "Escape") view.setTabFocusMode(LEAVING_MS)
}

function draft(instance) {
  clearTimeout(instance.timer)
  instance.timer = null
  instance.send("draft", { text: keptNow(instance), number: instance.number, revision: instance.revision, base: instance.base })
}

/** Problems as marks: from the last word of their key on, or the whole line. */
function diagnostics(doc, problems) {
  return problems.map(({ line, key, message }) => {
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines))
    const indent = /^\s*(?:- +)?/.exec(at.text)[0].length
    const word = (key ?? "").split(".").at(-1).replace(/\[\d+\]$/, "")
    const place = word ? at.text.search(new RegExp(`(^|[\\s{,])${word.replace(/[^\w]/g, "\\$&")}\\s*:`)) : -1
    const from = place < 0 ? indent : place + (/[\s{,]/.test(at.text[place]) ? 1 : 0)
    return { from: at.from + Math.min(from, at.length), to: at.to, severity: "error", message }
  })
}

function made(component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".editor")
  const before = data.replaces ? null : kept()
  const again = before !== null && typeof before.text === "string" && before.text !== data.text
  const instance = { data, number: 0, revision: data.revision, base: data.base, timer: null, locking: new Compartment(), naming: new Compartment() }
  if (again) {
    instance.number = 1
    instance.base = before.base
    instance.timer = setTimeout(() => draft(instance), 0)
  }
  const changed = EditorView.updateListener.of(update => {
    if (update.docChanged && !instance.replacing) {
      instance.number += 1
      keptNow(instance)
      clearTimeout(instance.timer)
      instance.timer = setTimeout(() => draft(instance), PAUSE_MS)
    }
    if (update.focusChanged && !update.view.hasFocus && instance.timer !== null) draft(instance)
  })
  instance.view = new EditorView({
    root: parentElement instanceof ShadowRoot ? parentElement : document,
    parent: root,
    state: EditorState.create({
      doc: again ? before.text : data.text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        foldGutter(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        autocompletion({ override: [completing(instance)], icons: false }),
        yaml(),
        indentUnit.of("  "),
        syntaxHighlighting(colours),
        theme,
        EditorView.domEventObservers({ keydown: leaving }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab, ...defaultKeymap]),
        instance.locking.of([]),
        instance.naming.of([]),
        changed,
      ],
    }),
  })
  instances.set(parentElement, instance)
  return instance
}

function marked(component, instance) {
  const { data } = component
  if (instance.label !== data.label || instance.readonly !== data.readonly) {
    instance.label = data.label
    instance.readonly = data.readonly
    instance.view.dispatch({
      effects: [
        instance.locking.reconfigure([EditorState.readOnly.of(Boolean(data.readonly))]),
        instance.naming.reconfigure(EditorView.contentAttributes.of({ "aria-label": data.label, "aria-describedby": "editor-keys" })),
      ],
    })
  }
  if (data.revision !== instance.revision) {
    clearTimeout(instance.timer)
    instance.timer = null
    instance.revision = data.revision
    instance.number = 0
    instance.replacing = true
    instance.view.dispatch({ changes: { from: 0, to: instance.view.state.doc.length, insert: data.text } })
    instance.replacing = false
    keep(null)
  }
  if (instance.timer === null) {
    instance.base = data.base
    if (instance.view.state.doc.toString() === data.text) keep(null) // it was saved
  }
  if (data.checked === instance.number) {
    instance.view.dispatch(setDiagnostics(instance.view.state, diagnostics(instance.view.state.doc, data.problems ?? [])))
  }
}

export default function (component) {
  const { parentElement, data, setStateValue } = component
  if (!data || !parentElement.querySelector(".editor")) return
  const instance = instances.get(parentElement) ?? made(component)
  instance.data = data
  instance.send = setStateValue
  marked(component, instance)
  return () => {
    if (instance.timer !== null) draft(instance)
    instance.view.destroy()
    instances.delete(parentElement)
  }
}

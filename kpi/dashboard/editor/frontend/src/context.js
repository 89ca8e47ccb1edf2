// Where in the YAML a place is: which keys lead to it, and whether a key or a value stands there.
// The file is in the middle of being typed, so nothing here needs it to be whole: indentation and braces are enough.

const KEY = /^(\s*)(?:- +)?(?:'([^']*)'|"([^"]*)"|([^\s#'"{}[\],&*!|>%@`:][^:#]*?)) *:(?:\s|$)/

/** Text of a line without its comment, as far as `end`. */
function bare(text, end = text.length) {
  let quote = ""
  for (let at = 0; at < end; at++) {
    const character = text[at]
    if (quote) {
      if (character === quote) quote = ""
    } else if (character === "'" || character === '"') {
      if (at === 0 || /[\s,{[:]/.test(text[at - 1])) quote = character
    } else if (character === "#" && (at === 0 || /\s/.test(text[at - 1]))) return { text: text.slice(0, at), quoted: false, comment: true }
  }
  return { text: text.slice(0, end), quoted: quote !== "", comment: false }
}

/** The braces and brackets that are open at the end of `text`, outer first, each with the key before it and what it holds so far. */
function opened(text) {
  const stack = []
  let quote = ""
  let piece = ""
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (quote) {
      if (character === quote) quote = ""
      piece += character
      continue
    }
    if ((character === "'" || character === '"') && piece.trim() === piece.trim().replace(/[^:]$/, "")) quote = character
    const inside = stack.length > 0
    const opens = (character === "{" || character === "[") && (!inside ? /(^|[:\-])\s*$/.test(text.slice(0, at)) : true)
    if (opens) {
      stack.push({ kind: character, before: piece, keys: [], piece: "" })
      piece = ""
    } else if (inside && (character === "}" || character === "]")) {
      piece = stack.pop().before
    } else if (inside && character === ",") {
      piece = ""
    } else {
      piece += character
      if (inside && character === ":" && /[\s]|^$/.test(text[at + 1] ?? "")) {
        const key = piece.slice(0, -1).trim().replace(/^['"]|['"]$/g, "")
        if (stack.at(-1).kind === "{") stack.at(-1).keys.push(key)
      }
    }
  }
  return { stack, piece }
}

/** The key that a line begins, with its indentation; null where it begins none. */
function keyOf(line) {
  const found = KEY.exec(line)
  return found ? { indent: found[1].length, key: (found[2] ?? found[3] ?? found[4]).trim(), length: found[0].length } : null
}

/**
 * What stands at a place.
 *
 * @param {string[]} lines of the document
 * @param {number} row from 0
 * @param {number} column from 0
 * @returns {{path: string[], at: "key" | "value" | "nothing", typed: string, taken: string[]}} `path`: the keys that lead to what
 *   is typed, the key itself among them where a value stands; `typed`: what of the word is there; `taken`: the keys beside it.
 */
export function contextAt(lines, row, column) {
  const here = bare(lines[row], column)
  if (here.comment || here.quoted) return { path: [], at: "nothing", typed: "", taken: [] }
  const typed = /[\w.*-]*$/.exec(here.text)[0]
  const indentOf = line => /^\s*/.exec(line)[0].length

  // a brace that was opened in this line or in one above, back to the entry that it belongs to
  let text = here.text
  let top = row
  for (let back = 0; back < 40; back++) {
    const { stack, piece } = opened(text)
    if (stack.length) {
      const own = keyOf(text.split("\n")[0])
      const path = own ? [...parents(lines, top, own.indent), own.key] : parents(lines, top, indentOf(lines[top]))
      for (const level of stack.slice(1)) {
        const key = /(\S[^:]*?)\s*:\s*$/.exec(level.before)
        if (key) path.push(key[1].replace(/^['"]|['"]$/g, ""))
      }
      const last = stack.at(-1)
      const value = /^\s*(\S[^:]*?)\s*:(?:\s|$)/.exec(piece)
      if (last.kind === "[") return { path, at: "value", typed, taken: [] }
      if (value) return { path: [...path, value[1]], at: "value", typed, taken: last.keys }
      return { path, at: "key", typed, taken: last.keys }
    }
    if (top === 0 || (keyOf(lines[top]) && /:\s*$/.test(bare(lines[top]).text) && top !== row) || lines[top].trim() === "") break
    if (keyOf(lines[top]) && top !== row) break
    top -= 1
    text = `${bare(lines[top]).text}\n${text}`
  }

  const own = keyOf(here.text)
  if (own) return { path: [...parents(lines, row, own.indent), own.key], at: "value", typed, taken: [] }
  const item = /^(\s*)- +/.exec(here.text)
  if (item) return { path: parents(lines, row, item[1].length + 1), at: "value", typed, taken: [] }
  const indent = indentOf(here.text)
  if (/^\s*[\w.*-]*$/.test(here.text)) {
    // deeper than the line above, which has a value already: the value goes on
    const above = previous(lines, row)
    if (above !== null) {
      const key = keyOf(lines[above])
      if (key && key.indent < indent && !/:\s*$/.test(bare(lines[above]).text)) {
        return { path: [...parents(lines, above, key.indent), key.key], at: "value", typed, taken: [] }
      }
    }
    const path = parents(lines, row, indent)
    return { path, at: "key", typed, taken: siblings(lines, row, indent) }
  }
  for (let at = row - 1; at >= 0; at--) {
    const key = keyOf(lines[at])
    if (key && key.indent < indent) return { path: [...parents(lines, at, key.indent), key.key], at: "value", typed, taken: [] }
  }
  return { path: [], at: "nothing", typed, taken: [] }
}

function previous(lines, row) {
  for (let at = row - 1; at >= 0; at--) if (bare(lines[at]).text.trim()) return at
  return null
}

/** The keys above a row that are indented less and less, outer first. */
function parents(lines, row, indent) {
  const path = []
  let limit = indent
  for (let at = row - 1; at >= 0 && limit > 0; at--) {
    const key = keyOf(lines[at])
    if (key && key.indent < limit) {
      path.unshift(key.key)
      limit = key.indent
    }
  }
  return path
}

/** The keys beside a row: of the same indentation, until one of less. */
function siblings(lines, row, indent) {
  const found = []
  for (const step of [-1, 1]) {
    for (let at = row + step; at >= 0 && at < lines.length; at += step) {
      if (!bare(lines[at]).text.trim()) continue
      const depth = /^\s*/.exec(lines[at])[0].length
      if (depth < indent) break
      const key = keyOf(lines[at])
      if (key && key.indent === indent) found.push(key.key)
    }
  }
  return found
}

/** The value of a key beside a row, such as the table that a metric is of; in the same braces or the same indentation. */
export function beside(lines, row, key) {
  const wanted = new RegExp(`(?:^|[{,\\s])${key}:\\s*([\\w.]+)`)
  const own = keyOf(lines[row])
  let first = row
  let last = row
  const depth = own ? own.indent : /^\s*/.exec(lines[row])[0].length
  while (first > 0 && lines[first - 1].trim() && /^\s*/.exec(lines[first - 1])[0].length >= depth) first -= 1
  while (last + 1 < lines.length && lines[last + 1].trim() && /^\s*/.exec(lines[last + 1])[0].length >= depth) last += 1
  // an entry written in braces is one line or a few: its own first
  for (const range of [lines.slice(row, row + 1), lines.slice(Math.max(0, row - 3), row + 1), lines.slice(first, last + 1)]) {
    for (const line of range.reverse()) {
      const found = wanted.exec(bare(line).text)
      if (found) return found[1]
    }
  }
  return null
}

// What may be written at a place: keys and words by the JSON Schema, names by what the file and the warehouse have.

import { beside, contextAt } from "./context.js"

/** The schemas that may hold at the end of a path. */
function schemasAt(schema, path) {
  let found = alternatives(schema, schema)
  for (const key of path) {
    const next = []
    for (const one of found) {
      const inner = one.properties?.[key] ?? one.additionalProperties
      if (inner && typeof inner === "object") next.push(...alternatives(schema, inner))
    }
    found = next
  }
  return found
}

/** A schema with what it refers to and chooses from, each by itself. */
function alternatives(root, schema) {
  if (schema.$ref) return alternatives(root, root.definitions[schema.$ref.split("/").at(-1)])
  const chosen = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(one => alternatives(root, one))
  const items = schema.items && typeof schema.items === "object" ? alternatives(root, schema.items) : []
  return [schema, ...chosen, ...items]
}

/** Keys of which a metric has the words of the warehouse's rows. */
const ROWS = new Set(["where", "at", "over", "during", "is", "sum", "average", "min", "max", "median", "percentile", "count_distinct", "snapshot"])
const FORMULAS = new Set(["formula", "until"])
const METRICS = new Set(["north_star", "drivers", "review", "retention", "by", "lost", "from", "to"])

function named(names, type, detail) {
  return names.map(name => ({ label: name, type, detail }))
}

/**
 * The completions at a place.
 *
 * @param data what Python says: `schema`, and `words`: metrics, dimensions, functions, and tables with their columns
 * @returns {{from: number, options: object[]} | null} `from`: column at which what is typed begins
 */
export function completionsAt(lines, row, column, data) {
  const { path, at, typed, taken } = contextAt(lines, row, column)
  if (at === "nothing" || !data?.schema) return null
  const words = data.words ?? {}
  const from = column - typed.length
  const options = []
  if (at === "key") {
    for (const schema of schemasAt(data.schema, path)) {
      for (const [key, about] of Object.entries(schema.properties ?? {})) {
        if (taken.includes(key) || options.some(option => option.label === key)) continue
        options.push({ label: key, apply: `${key}: `, type: "property", info: about.description })
      }
    }
    if (path[0] === "review" && path.length === 1) return null
  } else {
    const key = path.at(-1)
    const inMetric = path[0] === "metrics" && path.length >= 3
    for (const schema of schemasAt(data.schema, path)) {
      for (const word of schema.enum ?? []) {
        if (!options.some(option => option.label === String(word))) options.push({ label: String(word), type: "enum" })
      }
      if (schema.type === "boolean") options.push(...named(["true", "false"], "enum"))
    }
    const table = key === "count" ? null : beside(lines, row, "of") ?? beside(lines, row, "count")
    const isMetric = table !== null && (words.metrics ?? []).includes(table)
    if (inMetric && (FORMULAS.has(key) || (key === "of" && path.includes("needs")))) {
      options.push(...named(words.metrics ?? [], "variable", "metric"), ...named(words.formulas ?? [], "function"))
    } else if ((inMetric || path[0] === "dimensions") && ROWS.has(key)) {
      options.push(...named((isMetric ? [] : words.tables?.[table]) ?? [], "variable", table))
      options.push(...named(words.rows ?? [], "function"))
      if (key === "where") options.push(...named(words.dimensions ?? [], "variable", "dimension"))
    } else if (METRICS.has(path[0]) || (inMetric && METRICS.has(key)) || (inMetric && key === "of")) {
      options.push(...named(words.metrics ?? [], "variable", "metric"))
    }
    if ((inMetric && (key === "of" || key === "count")) || (path[0] === "dimensions" && key === "of")) {
      for (const name of Object.keys(words.tables ?? {})) {
        if (!options.some(option => option.label === name && option.type !== "variable")) options.push({ label: name, type: "class", detail: "table" })
      }
    }
  }
  const unique = options.filter((option, place) => options.findIndex(other => other.label === option.label) === place)
  return unique.length ? { from, options: unique } : null
}

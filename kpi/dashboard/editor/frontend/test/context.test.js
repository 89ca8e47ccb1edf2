import assert from "node:assert/strict"
import { test } from "node:test"
import { completionsAt } from "../src/completing.js"
import { beside, contextAt } from "../src/context.js"

/** The place of the mark | in a text. */
function at(text) {
  const lines = text.split("\n")
  const row = lines.findIndex(line => line.includes("|"))
  const column = lines[row].indexOf("|")
  lines[row] = lines[row].replace("|", "")
  return { lines, row, column }
}
const context = text => {
  const { lines, row, column } = at(text)
  return contextAt(lines, row, column)
}

test("a key of the file", () => {
  assert.deepEqual(context("currency: EUR\ncal|"), { path: [], at: "key", typed: "cal", taken: ["currency"] })
})
test("a key of a metric, beside others", () => {
  const text = "metrics:\n  # sales\n\n  won:\n    label: Won\n    be|\n    count: deal\n\n  lost:\n    better: up"
  assert.deepEqual(context(text), { path: ["metrics", "won"], at: "key", typed: "be", taken: ["label", "count"] })
})
test("a value", () => {
  assert.deepEqual(context("metrics:\n  won:\n    better: u|"), { path: ["metrics", "won", "better"], at: "value", typed: "u", taken: [] })
})
test("keys and values in braces", () => {
  assert.deepEqual(context("metrics:\n  won: {label: Won, un|"), { path: ["metrics", "won"], at: "key", typed: "un", taken: ["label"] })
  assert.deepEqual(context("metrics:\n  won: {label: Won, unit: mo|").path, ["metrics", "won", "unit"])
  assert.deepEqual(context("metrics:\n  won:\n    allocate: {to: [account, pr|").path, ["metrics", "won", "allocate", "to"])
  assert.deepEqual(context("metrics:\n  won:\n    needs: {at_least: 20, of: new|").path, ["metrics", "won", "needs", "of"])
  assert.deepEqual(context("calendar: {week_starts: monday,\n  ti|"), { path: ["calendar"], at: "key", typed: "ti", taken: ["week_starts"] })
})
test("items of a list", () => {
  assert.deepEqual(context("drivers: [a, b|").path, ["drivers"])
  assert.deepEqual(context("drivers:\n  - a\n  - b|").path, ["drivers"])
})
test("nothing in comments and quotes", () => {
  assert.equal(context("currency: EUR # the curr|").at, "nothing")
  assert.equal(context("label: 'the curr|").at, "nothing")
})
test("a value that goes on below", () => {
  assert.deepEqual(context("metrics:\n  arr:\n    formula: mrr +\n      new|").path, ["metrics", "arr", "formula"])
})
test("what stands beside", () => {
  const lines = "metrics:\n  won:\n    sum: amount\n    of: deal\n  lost:\n    of: issue".split("\n")
  assert.equal(beside(lines, 2, "of"), "deal")
  assert.equal(beside(["  a: {sum: x, of: deal}", "  b: {sum: x, of: issue}"], 1, "of"), "issue")
})

const data = {
  schema: {
    properties: {
      currency: { description: "money" },
      metrics: { additionalProperties: { oneOf: [{ $ref: "#/definitions/leaf" }] } },
      drivers: { anyOf: [{}] },
    },
    definitions: { leaf: { properties: { label: {}, better: { enum: ["up", "down"] }, where: {}, of: {}, formula: {} } } },
  },
  words: { metrics: ["won"], tables: { deal: ["amount", "is_won"] }, rows: ["days"], formulas: ["previous"], dimensions: ["segment"] },
}
const labels = text => {
  const { lines, row, column } = at(text)
  return completionsAt(lines, row, column, data)?.options.map(option => option.label) ?? []
}
test("keys by the schema, without those that are there", () => {
  assert.deepEqual(labels("metrics:\n  won:\n    label: x\n    |"), ["better", "where", "of", "formula"])
})
test("words and names", () => {
  assert.deepEqual(labels("metrics:\n  won:\n    better: |"), ["up", "down"])
  assert.deepEqual(labels("metrics:\n  won:\n    of: deal\n    where: |"), ["amount", "is_won", "days", "segment"])
  assert.deepEqual(labels("metrics:\n  won:\n    formula: |"), ["won", "previous"])
  assert.deepEqual(labels("drivers: [|"), ["won"])
  assert.deepEqual(labels("metrics:\n  won:\n    of: d|"), ["won", "deal"])
})

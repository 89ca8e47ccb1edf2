// Bundles the editor into ../assets/editor-….js, and the licences of what is in it into ../assets/LICENSES.txt.
// The name holds a hash of the sources: a browser never takes an older one from its cache, and a test tells when to build anew.
import { build } from "esbuild"
import { createHash } from "node:crypto"
import { readFile, readdir, rm, writeFile } from "node:fs/promises"

const hash = createHash("sha256")
for (const name of ["build.mjs", "package-lock.json", "src/completing.js", "src/context.js", "src/editor.js"]) hash.update(await readFile(name))
const name = `editor-${hash.digest("hex").slice(0, 12)}.js`
for (const old of await readdir("../assets")) if (old.endsWith(".js")) await rm(`../assets/${old}`)

const done = await build({
  entryPoints: ["src/editor.js"],
  outfile: `../assets/${name}`,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "info",
})

const names = new Set()
for (const input of Object.keys(done.metafile.inputs)) {
  const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)
  if (found) names.add(found[1])
}
const notices = [`${name.replace(/-.*/, "")} holds these packages, each under its licence:`]
for (const one of [...names].sort()) {
  const folder = `node_modules/${one}`
  const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"))
  const file = (await readdir(folder)).find(entry => /^licen[cs]e/i.test(entry))
  if (!file) throw new Error(`${one} has no licence file: say here what it is under`)
  notices.push(`${"-".repeat(72)}\n${one} ${version} (${license})\n\n${(await readFile(`${folder}/${file}`, "utf8")).trim()}`)
}
await writeFile("../assets/LICENSES.txt", notices.join("\n\n") + "\n")

#!/usr/bin/env node
// Writes dist/descriptions.json: what the API documentation says of every type and field, for `kubectl explain`. The texts are taken from the type
// declarations of @kubernetes/client-node (Apache-2.0), which are generated from Kubernetes' OpenAPI document; what that generator loses (the texts of
// fields that refer to a type, and line breaks) is in src/api/data. Without the package nothing is written, and explain shows no descriptions.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const models = new URL('../node_modules/@kubernetes/client-node/dist/gen/models/', import.meta.url);
const data = (name) => JSON.parse(readFileSync(new URL(`../src/api/data/${name}.json`, import.meta.url), 'utf8'));
const target = new URL('../dist/descriptions.json', import.meta.url);

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The declaration file of a schema: named by version and kind, with the group before them where two groups share a kind. */
function fileOf(schema) {
  const parts = schema.split('.');
  const [name, version, group] = [parts.at(-1), capital(parts.at(-2)), capital(parts.at(-3) ?? '')];
  for (const candidate of [`${group}${version}${name}`, `${version}${name}`]) {
    const file = new URL(`${candidate}.d.ts`, models);
    if (existsSync(file)) return file;
  }
  return undefined;
}

const unescape = (text) => text.replace(/\\(['"\\])/g, '$1').replaceAll('*\\/', '*/').trim();

/** Puts the line breaks back, where the text is still the one they were counted in. */
function withBreaks(text, offsets = []) {
  if (!offsets.every((at) => text[at] === ' ')) return text;
  const letters = text.split('');
  for (const at of offsets) letters[at] = '\n';
  return letters.join('');
}

function readTexts(file, breaks) {
  const source = readFileSync(file, 'utf8');
  const texts = {};
  const about = /\/\*\*\r?\n\* (.*?)\r?\n\*\/\r?\nexport declare class/s.exec(source)?.[1];
  if (about) texts[''] = withBreaks(unescape(about), breaks[''])
  for (const [, text, name] of source.matchAll(/\/\*\*\r?\n {4}\* (.*?)\r?\n {4}\*\/\r?\n {4}'_?([^']+)'\??:/g)) texts[name] = withBreaks(unescape(text), breaks[name]);
  return texts;
}

/** Parameter → the method that tells of it, where that is not one of every kind's. */
const OWNERS = { patch: 'patchNamespacedPod', log: 'readNamespacedPodLog', attach: 'connectGetNamespacedPodAttach', exec: 'connectGetNamespacedPodExec', portforward: 'connectGetNamespacedPodPortforward' };
const ENTITIES = { '&quot;': '"', '&#39;': "'", '&#x60;': '`', '&#x3D;': '=', '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** What the methods of the API say of their parameters, by name, or by `method.name`. */
function parameterTexts(breaks) {
  const source = readFileSync(new URL('../apis/CoreV1Api.d.ts', models), 'utf8');
  const of = (method) => {
    const end = source.indexOf(`\n    ${method}(`);
    const comment = source.slice(source.lastIndexOf('/**', end), end);
    return [...comment.matchAll(/\* @param _?(\w+) (.+)/g)].map(([, name, text]) => [name, text.trim().replace(/\\?(&#?\w+;)/g, (whole, entity) => ENTITIES[entity] ?? whole)]);
  };
  const generic = ['connectGetNodeProxyWithPath', 'listNamespacedPod', 'replaceNamespacedPod', 'patchNamespacedPod', 'deleteNamespacedPod', 'createNamespacedPod'].flatMap(of);
  const owned = Object.entries(OWNERS).flatMap(([owner, method]) => of(method).map(([name, text]) => [`${owner}.${name}`, text]));
  const proxied = ['Pod', 'Service'].flatMap((kind) => of(`connectGetNamespaced${kind}Proxy`).map(([name, text]) => [`proxy.${kind}.${name}`, text]));
  const ofNodes = [...of('connectGetNodeProxy').map(([name, text]) => [`proxy.Node.${name}`, text]), ...of('connectGetNodeProxyWithPath').map(([name, text]) => [`proxy.${name}`, text])];
  return Object.fromEntries([...generic, ...owned, ...proxied, ...ofNodes].map(([name, text]) => [name, withBreaks(text, breaks[name])]));
}

if (!existsSync(models)) {
  console.error('no @kubernetes/client-node: kubectl explain will show no descriptions');
} else {
  const [schemas, references, breaks] = [data('openapi-fields'), data('reference-descriptions'), data('description-breaks')];
  const all = { parameters: parameterTexts(breaks.parameters ?? {}) };
  for (const schema of Object.keys(schemas)) {
    const file = fileOf(schema);
    const texts = { ...(file && readTexts(file, breaks[schema] ?? {})), ...references[schema] };
    // The generator puts the type's text where a field has none: an empty one takes it away again.
    for (const [name, text] of Object.entries(texts)) if (text === '') delete texts[name];
    if (Object.keys(texts).length > 0) all[schema] = texts;
  }
  mkdirSync(new URL('.', target), { recursive: true });
  writeFileSync(target, JSON.stringify(all));
}

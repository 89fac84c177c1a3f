// Played against a real control plane and recorded: apply, diff, edit-last-applied, kustomize and manifests with mistakes.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"')), stderr: stderr.map((l) => l.replace(/\/tmp\/kubectl-edit-\d+\.yaml/, '<edited>')) });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const map = (name, data, meta = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...meta }, data });
const editor = async (t, sed) => { const f = await t.file(`editor-${Math.random()}.sh`, `#!/bin/sh\nsed -i -e '${sed}' "$1"\n`); await import('node:fs/promises').then((fs) => fs.chmod(f, 0o755)); return { EDITOR: f, KUBE_EDITOR: f }; };
const pod = (name, spec = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec } });
const dep = (name, spec = {}) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { replicas: 0, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } }, ...spec } });

export default {
  async 'apply with sets, prune and last-applied'(t) {
    const two = await t.file('two.json', { apiVersion: 'v1', kind: 'List', items: [map('a', { x: '1' }), map('b', { x: '1' })] });
    const one = await t.file('one.json', map('a', { x: '2' }));
    await each(t, `
      apply --server-side --applyset=set --prune -f ${two}
      apply --applyset=configmaps/set --prune -f ${two}
    `, { env: { KUBECTL_APPLYSET: 'true' } });
    await t.kubectl(['apply', '--applyset=set', '--prune', '-f', two], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await t.kubectl(['get', 'secret', 'set', '-o', 'yaml'], { pick: steady });
    await t.kubectl(['get', 'cm', 'a', '-o', 'jsonpath={.metadata.labels}']);
    await t.kubectl(['apply', '--applyset=set', '--prune', '-f', one], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await t.kubectl(['apply', '--applyset=set', '--prune', '-f', one, '--dry-run=server'], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await t.kubectl(['apply', '--server-side', '--applyset=set2', '--prune', '-f', one], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await t.kubectl(['apply', '--server-side', '--applyset=set', '--prune', '-f', one], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await t.kubectl(['apply', '--applyset=set', '-f', one], { env: { KUBECTL_APPLYSET: 'true' }, pick: steady });
    await each(t, `
      get cm,secrets -o name
      apply -f ${one}
      apply view-last-applied cm/a
      apply view-last-applied cm/a -o json
      apply view-last-applied cm/b
      apply view-last-applied cm/absent
      apply view-last-applied cm --all
      apply view-last-applied cm/a -o odd
      apply set-last-applied -f ${two}
      apply set-last-applied -f ${one}
      apply set-last-applied --create-annotation -f ${two}
      apply view-last-applied cm/b
      apply set-last-applied -f ${await t.file('absent.json', map('absent', {}))}
      apply set-last-applied -f ${one} --dry-run=server -o json
    `);
    await t.kubectl(['apply', 'edit-last-applied', 'cm/a'], { env: await editor(t, 's/x: "2"/x: "3"/'), pick: steady });
    await t.kubectl(['apply', 'edit-last-applied', 'cm/a'], { env: await editor(t, 's/nothing/x/'), pick: steady });
    await t.kubectl(['apply', 'view-last-applied', 'cm/a'], { pick: steady });
    await each(t, `
      apply --prune --all -f ${two} --prune-allowlist=core/v1/ConfigMap --dry-run=server
      apply --prune --all -f ${one} --prune-allowlist=core/v1/ConfigMap
      apply --prune -l app=x -f ${one} --prune-allowlist=nothing
      apply --prune -l app=x -f ${one} --prune-allowlist=core/v1/Nothing
      get cm -o name
      apply --prune --all -l a=b -f ${one}
      apply -f ${one} --force --grace-period=0
      apply -f ${one} --overwrite=false
      apply -f ${one} -o yaml
      apply -f ${one} -o name
      apply -f ${two} -o json
      apply -f ${one} --dry-run=client -o yaml
      apply -f ${one} --dry-run=odd
      apply -f ${one} --cascade=odd
      apply -f ${one} --openapi-patch=false
      apply -f ${one} --subresource=status
      apply --server-side -f ${one} --subresource=status
    `);
  },
  async 'apply of pods, deployments and services that changes what may change and what may not'(t) {
    const files = {};
    const f = async (n, o) => (files[n] = await t.file(`${n}.json`, o));
    await each(t, `
      apply -f ${await f('p1', pod('p'))}
      apply -f ${await f('p2', pod('p', { containers: [{ name: 'a', image: 'a:2' }] }))}
      apply -f ${await f('p3', pod('p', { containers: [{ name: 'a', image: 'a:2', command: ['x'] }] }))}
      apply -f ${await f('p4', pod('p', { containers: [{ name: 'b', image: 'a:2' }] }))}
      apply -f ${await f('p5', pod('p', { activeDeadlineSeconds: 5 }))}
      apply -f ${await f('p6', pod('p', { tolerations: [{ key: 'x', operator: 'Exists' }] }))}
      apply --force -f ${await f('p7', pod('p', { nodeSelector: { a: 'b' } }))}
      get pod p -o jsonpath={.spec}
      apply -f ${await f('d1', dep('d'))}
      apply -f ${await f('d2', dep('d', { replicas: 0, paused: true }))}
      apply -f ${await f('d3', dep('d', { selector: { matchLabels: { app: 'other' } } }))}
      apply -f ${await f('d4', dep('d', { template: { metadata: { labels: { app: 'd', v: '2' } }, spec: { containers: [{ name: 'a', image: 'a:2', env: [{ name: 'A', value: '1' }] }, { name: 'b', image: 'b' }] } } }))}
      get deployment d -o jsonpath={.spec.template}
      apply -f ${files.d1}
      get deployment d -o jsonpath={.spec.template}
      apply -f ${await f('s1', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81 }] } })}
      apply -f ${await f('s2', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ name: 'b', port: 81, targetPort: 8081 }] } })}
      get service s -o jsonpath={.spec.ports}
      apply -f ${await f('s3', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }, { port: 81 }] } })}
      apply -f ${await f('s4', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { clusterIP: 'None', ports: [{ name: 'b', port: 81 }] } })}
      apply -f ${await f('s5', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { type: 'ExternalName', externalName: 'x.y' } })}
      get service s -o jsonpath={.spec.type}{.spec.clusterIP}
      apply -f ${await f('sec', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'sec' }, stringData: { a: 'b' } })}
      apply -f ${await f('sec', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'sec' }, stringData: { a: 'c' } })}
      get secret sec -o jsonpath={.data}
      diff -f ${await f('sec', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'sec' }, stringData: { a: 'd' } })}
      apply -f ${await f('sec2', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'sec' }, type: 'kubernetes.io/tls', data: {} })}
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/(LIVE|MERGED)-\d+/g, '$1-<n>').replace(/^(---|\+\+\+|diff).*/, '$1')) }; } });
  },
  async 'server-side apply: managers, conflicts and migrations'(t) {
    const files = {};
    const f = async (o) => t.file(`ssa-${Object.keys(files).length}-${Math.random()}.json`.replace(/0\.\d+/, () => String(files.n = (files.n ?? 0) + 1)), o);
    await each(t, `
      apply -f ${await f(dep('d'))}
      apply --server-side -f ${await f(dep('d', { replicas: 0, minReadySeconds: 5 }))}
      apply --server-side --field-manager=two -f ${await f(dep('d', { minReadySeconds: 6 }))}
      apply --server-side --field-manager=two --force-conflicts -f ${await f(dep('d', { minReadySeconds: 6 }))}
      apply --server-side -f ${await f(dep('d', { template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'a', image: 'z', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }] }] } } }))}
      apply --server-side -f ${await f({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })}
      apply --server-side --field-manager=b -f ${await f({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 81 }] } })}
      apply --server-side --field-manager=b -f ${await f({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 90, name: 'x' }] } })}
      apply --server-side --field-manager=b -f ${await f({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }, { port: 80 }] } })}
      apply --server-side -f ${await f(pod('p'))}
      apply --server-side --field-manager=other -f ${await f(pod('p', { containers: [{ name: 'a', image: 'b' }] }))}
      apply --server-side -f ${await f(pod('p', { containers: [{ name: 'a', image: 'b', env: [{ name: 'X', value: '1' }, { name: 'X', value: '2' }] }] }))}
      apply --server-side -f ${await f(pod('p', { containers: [{ name: 'a', image: 'b', wrong: 1 }] }))}
      apply --server-side -f ${await f({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 1 } })}
      apply --server-side -f ${await f({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'c' } })}
      apply --server-side -f ${await f({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', managedFields: [{ manager: 'x' }] } })}
      apply --server-side --validate=ignore -f ${await f({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, dat: {} })}
      apply --server-side --dry-run=server -f ${await f({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: {} })} -o yaml --show-managed-fields
      apply --server-side --dry-run=client -f ${await f(map('c', {}))}
      apply --server-side --field-manager= -f ${await f(map('c', {}))}
      diff --server-side -f ${await f(map('c', { a: 'b' }))}
      apply --server-side -f ${await f(map('c', { a: 'b' }))}
      diff --server-side -f ${await f(map('c', { a: 'b' }))}
      diff --server-side --field-manager=q -f ${await f(map('c', { a: 'c' }))}
      diff --server-side --field-manager=q --force-conflicts -f ${await f(map('c', { a: 'c' }))}
      diff --prune -l a=b -f ${await f(map('c', { a: 'c' }))}
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/(LIVE|MERGED)-\d+/g, '$1-<n>').replace(/^(---|\+\+\+|diff).*/, '$1')) }; } });
  },
  async 'manifests of several documents, lists and mistakes'(t) {
    const y = (s) => t.file(`m${y.n = (y.n ?? 0) + 1}.yaml`, s);
    await each(t, `
      apply -f ${await y('# only a comment\n---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# end\n')}
      create -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Nothing\nmetadata: {name: c}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n')}
      apply -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e, namespace: elsewhere}\n')}
      apply -f ${await y('kind: ConfigMap\nmetadata: {name: e}\n')}
      apply -f ${await y('apiVersion: v1\nmetadata: {name: e}\n')}
      apply -f ${await y('apiVersion: v2\nkind: ConfigMap\nmetadata: {name: e}\n')}
      apply -f ${await y('- a\n- b\n')}
      apply -f ${await y('a: [\n')}
      apply -f ${await y('{"apiVersion":"v1",')}
      apply -f ${await y('apiVersion: v1\nkind: ConfigMap\n')}
      apply -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndata: {a: 1}\n')}
      apply -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndata: {a: "1", a: "2"}\n')}
      apply -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndta: {a: "1"}\nx: 1\n')}
      apply --validate=false -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndta: {a: "1"}\nx: 1\n')}
      apply --validate=warn -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\ndta: {a: "1"}\nx: 1\n')}
      apply --validate=odd -f ${await y('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\n')}
      create --validate=warn -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b, imagee: c}]}}, backofLimit: 1}\n')}
      create -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j2}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b, imagee: c}]}}, backofLimit: 1}\n')}
      create -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j2}\nspec: {template: {spec: {containers: {}}}, parallelism: x}\n')}
      create -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j2}\n')}
      create -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j2}\nspec: {}\n')}
      apply -f ${await y('apiVersion: batch/v1\nkind: Job\nmetadata: {name: j2}\nspec: {template: {spec: {restartPolicy: Always, containers: [{name: A, image: ""}]}}}\n')}
      create -f ${await y('apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l2}}\n')}
      create -f ${await y('apiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: m1}}\n- {metadata: {name: m2}}\n')}
      create -f ${await y('apiVersion: v1\nkind: List\nitems: []\n')}
      create -f ${await y('apiVersion: v1\nkind: Status\nmessage: x\n')}
      create -f ${await y('apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nspec: {resourceAttributes: {verb: get, resource: pods}}\n')} -o yaml
      create -f ${await y('apiVersion: authentication.k8s.io/v1\nkind: SelfSubjectReview\n')} -o jsonpath={.status.userInfo.groups}
      create -f ${await y('apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectRulesReview\nspec: {}\n')}
      create -f ${await y('apiVersion: v1\nkind: Namespace\nmetadata: {name: x, namespace: y}\n')} --dry-run=server
      apply -f ${await y('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n')}
      apply -f ${await y('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b, resources: {limits: {cpu: abc}}}]}\n')}
      apply -f ${await y('apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b, ports: [{containerPort: 99999}], env: [{name: ""}]}], restartPolicy: Odd}\n')}
      apply -f ${await y('apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: 1}}\nspec: {containers: [{name: a, image: b}]}\n')}
      apply -f ${await y('apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {a: true}}\nspec: {containers: [{name: a, image: b, command: sleep}]}\n')}
      create -f /nowhere.yaml
      create -f http://127.0.0.1:1/x.yaml
      create -f
      create
      create -f x -k y
      apply -k /nowhere
      create --raw /api/v1/namespaces -f /nowhere
      create --raw /api/v1/namespaces/${t.ns}/configmaps -f ${await t.file('raw.json', map('raw', { a: '1' }))}
      create --edit -f ${await t.file('raw.json', map('edited', { a: '1' }))}
      create -f ${await t.file('rec.json', map('rec', {}))} --save-config -o yaml
      create -f ${await t.file('rec.json', map('rec2', {}))} --field-manager=mine -o yaml --show-managed-fields
      create -f ${await t.file('rec.json', map('rec3', {}))} -o name
      create -f ${await t.file('rec.json', map('rec4', {}))} -o jsonpath={.metadata.name}
      create -f ${await t.file('rec.json', map('rec5', {}))} --dry-run=server -o json
      create -f ${await t.file('rec.json', map('rec5', {}))} --dry-run=client -o json
      get cm -o name
    `, { env: { EDITOR: 'true', KUBE_EDITOR: 'true' }, pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/.*uid: .*|.*creationTimestamp.*|.*time: .*/, '')), stderr: s.stderr.slice(0, 12) }; } });
  },
  async 'kustomize'(t) {
    const root = join(dirname(await t.file('.keep', '')), 'base');
    await mkdir(root); await mkdir(join(root, 'over'));
    const w = (n, s) => writeFile(join(root, n), s);
    await w('job.yaml', 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: b:1, envFrom: [{configMapRef: {name: settings}}]}]}}}\n');
    await w('kustomization.yaml', `namespace: ${t.ns}\nnamePrefix: my-\nresources: [job.yaml]\nconfigMapGenerator: [{name: settings, literals: [A=1]}]\nlabels: [{pairs: {app: x}, includeSelectors: false}]\nimages: [{name: b, newTag: "2"}]\n`);
    await w('over/kustomization.yaml', 'resources: [..]\n');
    await each(t, `
      kustomize ${root}
      apply -k ${root}
      apply -k ${root}
      diff -k ${root}
      get -k ${root}
      describe -k ${root} --show-events=false
      delete -k ${root}
      apply -k ${root} --server-side
      apply -k ${join(root, 'over')}
      kustomize ${join(root, 'absent')}
      delete -k ${root} --ignore-not-found --wait=false
    `);
  },
};

// Played against a real control plane and recorded: label, annotate, patch, replace, set and edit.
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"')), stderr: stderr.map((l) => l.replace(/\/tmp\/kubectl-edit-\d+\.yaml/, '<edited>')) });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const editor = async (t, sed) => { const f = await t.file(`editor-${Math.random()}.sh`, `#!/bin/sh\nsed -i -e '${sed}' "$1"\n`); await import('node:fs/promises').then((fs) => fs.chmod(f, 0o755)); return { EDITOR: f, KUBE_EDITOR: f }; };
const pod = (name, spec = {}, meta = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...meta }, spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec } });

export default {
  async 'label and annotate in every form'(t) {
    for (const n of ['a', 'b']) await t.quiet('POST', t.path('configmaps'), { metadata: { name: n, labels: { app: 'x' } } });
    const f = await t.file('a.json', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } });
    await each(t, `
      label cm a b=c
      label cm a b=c --resource-version=1
      label cm a b=d --overwrite --resource-version=1
      label cm a b=d --overwrite -o yaml
      label cm --all c=d
      label cm -l app=x e=f
      label cm -l app=zzz e=f
      label -f ${f} g=h
      label cm a b-
      label cm a b- b-
      label cm a zz-
      label cm a x=y x-
      label cm a =y
      label cm a a/b/c=d
      label cm a x=y --dry-run=client -o yaml
      label cm a x=y --dry-run=server -o json
      label cm a x=y --local -o yaml -f ${f}
      label cm absent x=y
      label cm a b x=y
      label cm/a cm/b q=r
      label cm a --list
      label cm --all --list
      label cm a x=y --field-manager=m
      label cm a x=yy --field-selector=metadata.name=a
      label cm --field-selector=metadata.name=a x=yy --overwrite
      label cm -A --field-selector=metadata.name=zzz x=y
      label
      label cm
      label cm a x=0123456789012345678901234567890123456789012345678901234567890123
      label nothing a b=c
      label chob/a b=c
      annotate cm a n=1
      annotate cm a n=2
      annotate cm a n=2 --overwrite
      annotate cm a n-
      annotate cm --all n=3
      annotate cm a --list
      annotate cm a bad_key!=1
      annotate cm a 'n=many words = here' --overwrite
      annotate cm a kubernetes.io/x=y
      annotate cm absent n=1
      annotate cm a n=9 --dry-run=server -o jsonpath={.metadata.annotations}
      annotate pods --all n=1
      get cm a -o jsonpath={.metadata.labels}{.metadata.annotations}
    `);
  },
  async 'patches of every type'(t) {
    await t.quiet('POST', t.path('pods'), pod('p', { containers: [{ name: 'a', image: 'a:1', env: [{ name: 'A', value: '1' }] }, { name: 'b', image: 'b:1' }] }, { labels: { x: 'y' }, finalizers: ['e.x/one'] }));
    await t.quiet('POST', t.path('services'), { metadata: { name: 's' }, spec: { ports: [{ name: 'a', port: 80 }] } });
    const f = await t.file('patch.yaml', 'spec:\n  containers:\n  - name: a\n    image: a:2\n');
    await each(t, `
      patch pod p --patch-file ${f}
      patch pod p -p {"spec":{"containers":[{"name":"c","image":"c"}]}}
      patch pod p -p {"spec":{"containers":[{"image":"c"}]}}
      patch pod p -p {"spec":{"containers":[{"name":"b","$patch":"delete"}]}}
      patch pod p -p {"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}}
      patch pod p -p {"metadata":{"labels":{"x":null,"z":"1"}}}
      patch pod p -p {"metadata":{"$patch":"replace","labels":{"only":"this"}}}
      patch pod p -p {"metadata":{"finalizers":["e.x/two"]}}
      get pod p -o jsonpath={.metadata.finalizers}{.metadata.labels}
      patch pod p -p {"metadata":{"$deleteFromPrimitiveList/finalizers":["e.x/one"]}}
      get pod p -o jsonpath={.metadata.finalizers}
      patch pod p --type=json -p [{"op":"replace","path":"/spec/containers/0/image","value":"a:3"}]
      patch pod p --type=json -p [{"op":"add","path":"/metadata/labels/a~1b","value":"1"}]
      patch pod p --type=json -p [{"op":"remove","path":"/metadata/labels/none"}]
      patch pod p --type=json -p [{"op":"copy","from":"/metadata/labels/only","path":"/metadata/labels/copied"},{"op":"move","from":"/metadata/labels/copied","path":"/metadata/labels/moved"}]
      patch pod p --type=json -p [{"op":"test","path":"/spec/containers/0/image","value":"no"}]
      patch pod p --type=json -p [{"op":"odd","path":"/x"}]
      patch pod p --type=json -p {"op":"add"}
      patch pod p --type=json -p [{"op":"add","path":"/spec/containers/9","value":{}}]
      patch pod p --type=json -p [{"op":"replace","path":"/metadata/name","value":"q"}]
      patch pod p --type=json -p [{"op":"replace","path":"/kind","value":"Job"}]
      patch pod p --type=merge -p {"spec":{"containers":[{"name":"a","image":"a:4"}]}}
      patch pod p --type=merge -p {"spec":{"activeDeadlineSeconds":9}}
      patch pod p --type=merge -p {"spec":{"activeDeadlineSeconds":10}}
      patch pod p --type=merge -p {"metadata":{"name":"q"}}
      patch pod p --type=merge -p {"metadata":{"resourceVersion":"1"}}
      patch pod p --type=merge -p {"metadata":{"uid":"1"}}
      patch pod p --type=merge -p {"metadata":{"namespace":"other"}}
      patch pod p --type=merge -p {"kind":"Job"}
      patch pod p --type=merge -p {"apiVersion":"v2"}
      patch pod p --type=merge -p []
      patch pod p --type=merge -p "x"
      patch pod p --type=merge -p null
      patch pod p -p {}
      patch pod p -p {"spec":null}
      patch pod p -p {"nothing":{"x":1}}
      patch pod p --validate=strict -p {"nothing":1}
      patch pod p -p {"spec":{"nodeName":"n"}}
      patch pod p -p {"spec":{"containers":[{"name":"a","image":""}]}}
      patch pod p -p {"spec":{"containers":[{"name":"a","image":"_x","resources":{"limits":{"cpu":"1"}}}]}}
      patch pod p --subresource=resize -p {"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}}
      patch pod p --subresource=status --type=merge -p {"status":{"phase":"Running","message":"hi"}}
      patch pod p --subresource=odd -p {}
      patch pod p --subresource=ephemeralcontainers -p {"spec":{"ephemeralContainers":[{"name":"d","image":"d"}]}}
      get pod p -o jsonpath={.spec.ephemeralContainers}{.status.phase}
      patch pod p -p {"spec":{"tolerations":[{"key":"a","operator":"Exists"}]}} --dry-run=server -o jsonpath={.spec.tolerations}
      patch pod p -p {"metadata":{"labels":{"l":"1"}}} --dry-run=client -o yaml
      patch pod p -p {"metadata":{"labels":{"m":"1"}}} -o name
      patch pod p -p {"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x"}]}}
      patch pod p -p {"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"u","controller":true},{"apiVersion":"v1","kind":"ConfigMap","name":"y","uid":"v","controller":true}]}}
      patch pod p -p {"metadata":{"finalizers":["bad"]}}
      patch pod p -p {"metadata":{"labels":{"a b":"c"}}}
      patch pod p -p {"metadata":{"annotations":{"a":1}}}
      patch pod p -p {"metadata":{"generation":99}}
      patch pod p
      patch pod
      patch
      patch -f ${await t.file('p.json', pod('p'))} -p {"metadata":{"labels":{"f":"1"}}}
      patch pod p --local -f ${await t.file('p.json', pod('p'))} -p {"metadata":{"labels":{"f":"1"}}} -o yaml
      patch svc s -p {"spec":{"ports":[{"port":81}]}}
      patch svc s -p {"spec":{"ports":[{"name":"b","port":82}]}}
      patch svc s -p {"spec":{"type":"NodePort"}}
      patch svc s -p {"spec":{"selector":{"a":"b"}}}
      get svc s -o jsonpath={.spec.selector}{.spec.type}
      patch svc s -p {"spec":{"clusterIP":"None"}}
      patch svc s -p {"spec":{"ports":[{"port":80,"$patch":"delete"}]}}
      patch svc s --type=json -p [{"op":"remove","path":"/spec/ports"}]
      patch svc s -p {"spec":{"sessionAffinity":"Odd"}}
      patch svc s -p {"spec":{"externalIPs":["x"]}}
      patch svc s -p {"spec":{"ports":null}}
      patch svc s --type=merge -p {"spec":{"ports":[{"port":1,"nodePort":1}]}}
      patch pod p --type=json -p [{"op":"remove","path":"/metadata/finalizers"}]
    `);
  },
  async 'replace in every form'(t) {
    await t.kubectl(['create', 'configmap', 'c', '--from-literal=a=1']);
    const c = (data, meta = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...meta }, data });
    await t.quiet('POST', t.path('pods'), pod('p'));
    await each(t, `
      replace -f ${await t.file('1.json', c({ b: '1' }))}
      replace -f ${await t.file('2.json', c({ b: '1' }, { uid: 'x' }))}
      replace -f ${await t.file('3.json', c({ b: '2' }))} --save-config -o yaml
      replace -f ${await t.file('4.json', c({ b: '3' }))} --dry-run=server -o jsonpath={.data}
      replace -f ${await t.file('4.json', c({ b: '3' }))} --dry-run=client -o yaml
      replace --force -f ${await t.file('5.json', c({ b: '4' }))}
      replace --force -f ${await t.file('6.json', { ...c({}), metadata: { name: 'fresh' } })}
      replace --force --grace-period=0 -f ${await t.file('7.json', pod('p', { nodeSelector: { a: 'b' } }))}
      replace -f ${await t.file('8.json', pod('p', { nodeSelector: { a: 'c' } }))}
      replace --force --cascade=foreground -f ${await t.file('9.json', pod('p', {}))}
      replace -f ${await t.file('10.json', { ...c({}), metadata: {} })}
      replace --raw /api/v1/namespaces/${t.ns}/configmaps/c -f ${await t.file('11.json', c({ raw: '1' }))}
      replace -f ${await t.file('12.json', { ...c({ x: '1' }), wrong: 1 })}
      replace --validate=warn -f ${await t.file('12.json', { ...c({ x: '1' }), wrong: 1 })}
      replace --subresource=status -f ${await t.file('13.json', pod('p'))}
      replace -f ${await t.file('14.json', { apiVersion: 'v1', kind: 'List', items: [c({ l: '1' }), { ...c({}), metadata: { name: 'absent' } }] })}
      replace
      replace -f /nowhere
      replace --force --dry-run=client -f x
      replace --force --timeout=5s -f ${await t.file('5.json', c({ b: '5' }))}
      replace --force --cascade=odd -f ${await t.file('5.json', c({ b: '5' }))}
      replace -f ${await t.file('15.json', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })}
      create -f ${await t.file('15.json', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })}
      replace -f ${await t.file('15.json', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 81 }] } })}
      get svc s
      get cm c -o jsonpath={.data}
    `);
  },
  async 'set image, env, resources, account, selector'(t) {
    await t.kubectl(['create', 'deployment', 'd', '--image=a:1', '--replicas=0']);
    await t.kubectl(['create', 'cronjob', 'c', '--image=a:1', '--schedule=0 0 1 1 *']);
    await t.kubectl(['create', 'configmap', 'settings', '--from-literal=k1=1', '--from-literal=k2=2']);
    await t.kubectl(['create', 'secret', 'generic', 'key', '--from-literal=pw=x']);
    await t.kubectl(['create', 'service', 'clusterip', 's', '--tcp=80']);
    await t.quiet('POST', t.path('pods'), pod('p'));
    await each(t, `
      set image deployment/d a=a:2
      set image deployment/d *=a:3
      set image deployment/d zz=a:3
      set image deployment/d a
      set image deployment/d a=
      set image cronjob/c c=b
      set image pod/p a=b:2
      set image deployments,cronjobs --all *=z
      set image deployment/absent a=b
      set image deployment/d a=q --dry-run=server -o jsonpath={.spec.template.spec.containers[0].image}
      set image deployment/d a=q --dry-run=client -o name
      set image -f ${await t.file('p.json', pod('p'))} a=local --local -o yaml
      set image svc/s a=b
      set image configmap/settings a=b
      set image rs,deployment a=b
      set env deployment/d A=1 B=2
      set env deployment/d --list
      set env deployment/d --from=configmap/settings
      set env deployment/d --from=configmap/settings --prefix=P_
      set env deployment/d --from=secret/key --keys=pw
      set env deployment/d --list
      set env deployment/d --list --resolve
      set env deployment/d A- K1-
      set env deployment/d A=1 A-
      set env deployment/d 1bad=x
      set env deployment/d --from=configmap/absent
      set env deployments --all ALL=yes
      set env cronjob/c C=1 -c=c
      set env cronjob/c C=2 -c=zz
      set env pod/p X=1
      set env deployment/d -e E=5
      set env deployment/d STDIN=- --overwrite=false A=9 -o name
      set env
      set env deployment/d
      get deployment d -o jsonpath={.spec.template.spec.containers[0].env}
      set resources deployment/d --limits=cpu=200m,memory=512Mi --requests=cpu=100m
      set resources deployment/d -c=zz --limits=cpu=1
      set resources deployment/d --limits=cpu=0,memory=0
      set resources deployment/d --limits=cpu=x
      set resources deployment/d
      set resources deployment/d --requests=cpu=2 --limits=cpu=1
      set resources pod/p --limits=cpu=1
      set resources cronjob/c --requests=nvidia.com/gpu=1
      get deployment d -o jsonpath={.spec.template.spec.containers[*].resources}
      set serviceaccount deployment/d robot
      set sa cronjob/c robot
      set serviceaccount deployment/absent robot
      set sa deployment/d
      set serviceaccount pod/p robot
      get cronjob c -o jsonpath={.spec.jobTemplate.spec.template.spec.serviceAccountName}
      set selector service s a=b,c=d
      set selector svc/s x=y --resource-version=1
      set selector deployment/d a=b
      set selector svc/absent a=b
      set selector svc/s a=b=c
      get svc s -o jsonpath={.spec.selector}
      set selector -f ${await t.file('s.json', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })} q=r --local -o yaml
      set
      set nothing x
    `);
  },
  async 'edit'(t) {
    await t.kubectl(['create', 'configmap', 'c', '--from-literal=a=1']);
    await t.kubectl(['create', 'configmap', 'd', '--from-literal=a=1']);
    const e = async (args, sed) => t.kubectl(args.split(' '), { env: await editor(t, sed), pick: steady });
    await e('edit cm c', 's/a: "1"/a: "2"/');
    await e('edit cm/c cm/d', 's/a: "."/a: "7"/');
    await e('edit cm c -o json', 's/"a": "7"/"a": "8"/');
    await e('edit cm c --save-config', 's/a: "8"/a: "9"/');
    await e('edit cm c', 's/^data:/dta:/');
    await e('edit cm c', 's/name: c$/name: q/');
    await e('edit cm c', 's/kind: ConfigMap/kind: Secret/');
    await e('edit cm c', 's/^  a:.*/  a: [/');
    await e('edit cm c', 's/resourceVersion: .*/resourceVersion: "1"/');
    await e('edit cm c', 'd');
    await e('edit cm absent', 's/a/b/');
    await e('edit cm -l none=x', 's/a/b/');
    await e('edit', 's/a/b/');
    await e('edit cm c --output-patch', 's/a: "9"/a: "10"/');
    await e('edit cm c --windows-line-endings', 's/a: "10"/a: "11"/');
    await e('edit cm c --subresource=status', 's/a: "10"/a: "11"/');
    await e(`edit -f ${await t.file('c.json', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { zz: '1' } })}`, 's/zz: "1"/zz: "2"/');
    await t.kubectl(['edit', 'cm', 'c'], { env: { EDITOR: 'false', KUBE_EDITOR: 'false' }, pick: steady });
    await t.kubectl(['edit', 'cm', 'c'], { env: { EDITOR: '/nowhere/editor', KUBE_EDITOR: '/nowhere/editor' }, pick: steady });
    await t.kubectl(['create', 'job', 'j', '--image=a']);
    await e('edit job j', 's/backoffLimit: 6/backoffLimit: -1/');
    await e('edit job j', 's/backoffLimit: 6/backoffLimit: 3/;s/parallelism: 1/parallelism: 3/');
    await t.kubectl(['get', 'cm', 'c', 'd', '-o', 'jsonpath={.items[*].data}']);
  },
};

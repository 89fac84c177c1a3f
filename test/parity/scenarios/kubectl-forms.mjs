// Played against a real control plane and recorded: `kubectl get` in every form, watches, discovery and explain.
const job = (name, spec = {}, template = {}, metadata = {}) => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, ...metadata }, spec: { ...spec, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example/image', command: ['run'] }], ...template } } } });
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"')), stderr });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const several = async (t) => {
  for (const [name, n] of [['c', 3], ['a', 1], ['b', 2]]) await t.quiet('POST', t.path('jobs'), job(name, { suspend: true, completions: n, parallelism: 1, backoffLimit: 10 - n }, {}, { labels: { app: name < 'c' ? 'x' : 'y', n: String(n) }, annotations: { note: `number ${n}` } }));
  for (const name of ['a', 'b', 'c']) await t.until(`${name} is suspended`, async () => (await t.read('jobs', name)).status?.conditions?.length === 1);
};

/** What explain says of a field without the texts. */
const outline = ({ code, stdout, stderr }) => ({ code, stdout: stdout.filter((l) => /^\S|^ {2}\S+\t</.test(l)), stderr });

export default {
  async 'get in every form'(t) {
    await several(t);
    await each(t, `
      get job a -o yaml
      get job a -o json
      get jobs -o yaml
      get job a b -o name
      get jobs a -o wide
      get jobs --show-labels
      get jobs -L app -L n
      get jobs -L app,missing -o wide
      get jobs --show-kind
      get jobs --show-kind --no-headers
      get jobs,cm --show-kind
      get job/a cm/kube-root-ca.crt
      get jobs --sort-by=.spec.completions
      get jobs --sort-by=.spec.backoffLimit -o name
      get jobs --sort-by=.metadata.creationTimestamp -o name
      get jobs --sort-by={.metadata.labels.n} --no-headers
      get jobs --sort-by=.nothing
      get jobs --sort-by=metadata.name -o wide
      get jobs --field-selector=metadata.name=a
      get jobs --field-selector=status.successful=0 -o name
      get jobs --field-selector=status.successful!=0
      get jobs --field-selector=metadata.name!=a,metadata.namespace=x
      get jobs --field-selector=metadata.namespace=${t.ns} -o name
      get jobs --field-selector=spec.suspend=true
      get jobs --field-selector=metadata.name
      get jobs --field-selector=metadata.name==b -o name
      get jobs -l app=x -o name
      get jobs -l app!=x -o name
      get jobs -l 'n in (1,3)' -o name
      get jobs -l 'n notin (1,3),app' -o name
      get jobs -l n>1 -o name
      get jobs -l 'n gt 1'
      get jobs -l 'app in x'
      get jobs -l !app
      get jobs -l a_/b=c
      get jobs -l app=,
      get jobs --chunk-size=1 -o name
      get jobs --chunk-size=2
      get jobs --chunk-size=-1
      get jobs --server-print=false
      get jobs --server-print=false -o wide
      get jobs -o custom-columns=A:.metadata.name,B:.spec.template.spec.containers[*].image,C:.status.conditions[0].type
      get jobs -o custom-columns=A
      get jobs -o custom-columns=
      get jobs --no-headers -o custom-columns=:.metadata.name
      get jobs -o jsonpath={.items[*].metadata.name}
      get jobs -o jsonpath={.kind}/{.apiVersion}
      get jobs -o jsonpath-as-json={.items[*].spec.completions}
      get job a -o jsonpath={.metadata.labels}
      get jobs -o 'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Suspended")].status}{"\\n"}{end}'
      get job a -o jsonpath={.a.b.c}
      get job a --allow-missing-template-keys=false -o jsonpath={.a.b.c}
      get job a -o go-template={{.spec.completions}}
      get job a -o go-template={{.nothing}}
      get job a -o go-template={{.spec
      get job a -o template={{.kind}}
      get job a -o go-template
      get jobs -o template={{len{{
      get jobs -o 'go-template={{range .items}}{{.metadata.name}}:{{with .metadata.annotations}}{{.note}}{{end}} {{end}}'
      get -f ${await t.file('j.json', job('a'))}
      get -f ${await t.file('j.json', job('absent'))}
      get -f ${await t.file('two.json', { apiVersion: 'v1', kind: 'List', items: [job('a'), job('absent'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt' } }] })}
      get -o name -f ${await t.file('j.json', job('b'))}
      get job a --subresource=status
      get job a --subresource=status -o jsonpath={.status.conditions[0].reason}
      get job a --subresource=scale
      get job a --subresource=odd
      get jobs --subresource=status
      get job a --output-watch-events
      get job a --show-managed-fields=false -o jsonpath={.metadata.managedFields}
      get jobs a a
      get jobs a absent b
      get jobs a -l app=x
      get jobs a --field-selector=metadata.name=a
      get job. a
      get jobs.batch a -o name
      get jobs.v1.batch/a -o name
      get jobs.v1.batch a
      get batch/v1/jobs
      get job/a/b
      get job/
      get job a/b
      get a/
      get ,
      get jobs,
      get jobs/a,cm/b
      get job a --raw /api
      get --raw /api/v1
      get --raw /apis/batch
      get --raw api/v1
      get --raw /version/x
      get --raw /healthz/etcd
      get --raw /apis/none/v1
      get --raw /api/v2
      get --raw /api/v1/pods/x/y/z/q
      get --raw /apis/batch/v1/namespaces/default/jobz
      get --raw /metricsx
    `);
  },
  async 'get managed fields'(t) {
    await t.kubectl(['create', 'configmap', 'c', '--from-literal=a=1']);
    await t.kubectl(['label', 'configmap', 'c', 'x=y']);
    await t.kubectl(['annotate', 'configmap', 'c', 'x=y']);
    await t.kubectl(['patch', 'configmap', 'c', '-p', '{"data":{"b":"2"}}']);
    await t.kubectl(['apply', '--server-side', '-f', await t.file('c.json', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { c: '3' } })]);
    await t.kubectl(['apply', '-f', await t.file('c.json', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { c: '3', d: '4' } })]);
    await t.kubectl(['get', 'configmap', 'c', '-o', 'yaml', '--show-managed-fields'], { pick: ({ code, stdout }) => ({ code, lines: stdout.filter((l) => /manager:|f:/.test(l)).sort() }) });
    await t.kubectl(['create', 'job', 'j', '--image=a']);
    await t.until('a pod', async () => (await t.podsOf('j')).length === 1 && (await t.read('jobs', 'j')).status?.ready === 0);
    await t.kubectl(['set', 'image', 'job/j', 'j=b']);
    await t.kubectl(['scale', 'job/j', '--replicas=2']);
    await t.kubectl(['get', 'job', 'j', '-o', 'yaml', '--show-managed-fields'], { pick: steady });
    await t.kubectl(['get', 'pods', '-o', 'json', '--show-managed-fields'], { pick: steady });
    await t.kubectl(['get', 'namespace', t.ns, '-o', 'yaml', '--show-managed-fields'], { pick: steady });
    await t.kubectl(['get', 'sa', 'default', '-o', 'yaml', '--show-managed-fields'], { pick: steady });
    await t.kubectl(['get', 'cm', 'kube-root-ca.crt', '-o', 'jsonpath={.metadata}', '--show-managed-fields'], { pick: steady });
  },
  async 'get several kinds and all of them'(t) {
    await several(t);
    await t.kubectl(['run', 'p', '--image=x', '-l', 'app=x']);
    await t.kubectl(['create', 'cronjob', 'cj', '--image=x', '--schedule=0 0 1 1 *']);
    await t.kubectl(['create', 'service', 'clusterip', 's', '--tcp=80']);
    await each(t, `
      get all
      get all -o name
      get all --no-headers
      get all -l app=x
      get all -l app=zzz
      get all --show-labels
      get all -o wide
      get pods,jobs,services --no-headers
      get po,job,svc,cj -o name
      get pods jobs
      get pods,nothing
      get pod,job -o custom-columns=K:.kind,N:.metadata.name
      get pod,cm,job -o jsonpath={.items[*].kind}
      get job,pod a
      get pod/p job/a job/b --no-headers
      get pod/p absent
      get pods/p,job/a
      get all a
      get jobs,pods --sort-by=.metadata.name
      get job,pod --sort-by=.metadata.name -o name
      get all --field-selector=metadata.name=p
      get cj,job,pod --chunk-size=1 -o name
      get all -A -l n=1 --field-selector=metadata.namespace=${t.ns}
      get category
      get all,cm -o name
      get ns/${t.ns} pod/p
      get ns,pods -o name --field-selector=metadata.name=${t.ns}
      get pods --all-namespaces=false -o name
      get -A pod/p
      get events,jobs --field-selector=metadata.name=a -o name
      get pods p --context=x
      get pods --namespace=
      get pods -n Bad_
      get pods -n absent
      get ns -n absent -o name --field-selector=metadata.name=default
    `);
  },
  async 'get and watch in other forms (takes 70 s)'(t) {
    const wait = async (args, act) => { const w = t.kubectl(args.split(' '), { pick: ({ code, stdout, stderr }) => steady({ code, stdout: stdout.map((l) => l.replace(/ {2}<age>/g, '')).filter((l, i, all) => l !== all[i - 1]), stderr }) }); await t.sleep(2500); await act(); await w; };
    const cm = (name, data) => t.quiet('POST', t.path('configmaps'), { metadata: { name, labels: { app: 'x' } }, data });
    const patch = (name, body) => t.quiet('PATCH', t.path('configmaps', name), body, { 'content-type': 'application/merge-patch+json' });
    const steps = async (p) => { await cm(`${p}a`, { a: '1' }); await patch(`${p}a`, { data: { b: '1' } }); await patch(`${p}a`, { metadata: { labels: { app: 'y' } } }); await t.quiet('DELETE', t.path('configmaps', `${p}a`)); await cm(`${p}b`, {}); await t.quiet('DELETE', t.path('configmaps', `${p}b`)); };
    await cm('first', { x: '1' });
    await wait('get cm -w -l app=x --request-timeout=6s', () => steps('z'));
    await wait('get cm -w -l app=x --output-watch-events --request-timeout=6s', () => steps('q'));
    await wait('get cm --watch-only -l app=x -o name --request-timeout=6s', () => steps('r'));
    await wait('get cm -w -o json --output-watch-events -l app=x --request-timeout=6s', () => steps('s'));
    await wait('get cm -w -o custom-columns=N:.metadata.name,D:.data -l app=x --request-timeout=6s', () => steps('u'));
    await wait('get cm first -w --request-timeout=6s', () => patch('first', { data: { y: '2' } }));
    await wait('get cm first -w -o jsonpath={.data}{"\\n"} --request-timeout=6s', () => patch('first', { data: { z: '2' } }));
    await wait('get cm --field-selector=metadata.name=first -w -o yaml --request-timeout=6s', () => patch('first', { data: { q: '2' } }));
    await wait('get cm absent -w --request-timeout=6s', () => 0);
    await wait('get cm,jobs -w --request-timeout=6s', () => 0);
    await wait('get cm -w --all-namespaces --field-selector=metadata.name=first,metadata.namespace=' + t.ns + ' --request-timeout=6s', () => 0);
    await wait('get cm -w --sort-by=.metadata.name --request-timeout=6s', () => 0);
  },
  async 'api-resources, explain, version'(t) {
    const names = ({ code, stdout, stderr }) => ({ code, stdout: stdout.filter((l) => !/apiservices|certificatesigning|deviceclasses|flowschemas|prioritylevel|resourceclaim|resourceslice|deviceclass/.test(l)), stderr });
    await each(t, `
      api-resources
      api-resources -o wide
      api-resources --sort-by=name -o name
      api-resources --sort-by=kind --no-headers
      api-resources --verbs=create,delete -o name
      api-resources --categories=all
      api-resources --namespaced -o name
      api-resources --namespaced=false
      api-resources --verbs=fly
      api-resources -o odd
      api-resources extra
    `, { pick: names });
    await each(t, `
      explain pod
      explain pod.spec.containers
      explain pods.spec.containers.ports
      explain pod.spec.volumes.configMap.items
      explain deployment.spec.strategy
      explain svc.spec.ports
      explain cm
      explain secret.type
      explain pvc.spec.resources
      explain cronjob.spec
      explain cj.spec.jobTemplate.spec.template.spec
      explain node.status.conditions
      explain ns
      explain sa
      explain quota.spec
      explain limitrange.spec.limits
      explain pdb.spec
      explain role.rules
      explain events
      explain events.v1.events.k8s.io
      explain --api-version=v1 events
      explain job.metadata
      explain job.metadata.ownerReferences
      explain job --api-version=v1
      explain job --output=plaintext-openapiv2
      explain job --output=plaintext
      explain job.spec.template --max-depth=2
      explain job.
      explain
      explain job pod
      explain lease.spec
      explain pod.spec.affinity --recursive
      explain pods/log
      explain pod.spec.tolerations --recursive
      explain hpa
      explain ingress.spec
      explain deployment.spec.template.spec.initContainers.lifecycle
      explain job.apiVersion
      explain pod.spec.containers.resources.limits
      explain pv.spec.nfs
      explain --recursive cm
      explain eps
      explain rs.status
      explain sts.spec.volumeClaimTemplates
      explain ds.spec.updateStrategy
      explain controllerrevisions
      explain csidriver.spec
      explain runtimeclass
      explain sc
      explain crb.subjects
      explain rc
      explain podtemplate
      explain vac
      explain networkpolicy.spec.ingress
      explain crd.spec.versions
      explain binding
      explain selfsubjectreview
      explain localsubjectaccessreviews.spec
    `, { pick: outline });
  },
};

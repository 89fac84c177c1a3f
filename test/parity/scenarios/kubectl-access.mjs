// Played against a real control plane and recorded: rights and impersonation, drain, events, streams without a node, mistakes.
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"').replace(/(nodePort"?: )\d+/, '$1<port>').replace(/:3\d{4}\/TCP/, ':<port>/TCP')), stderr: stderr.map((l) => l.replace(/^[EIW]\d{4} \S+ +\d+ /, '<log> ').replace(/\d+ms/g, '<ms>')) });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const post = async (t, r, o) => { const a = await t.quiet('POST', r.startsWith('/') ? r : t.path(r), o); if (a.status !== 201) t.show(`made ${o.metadata?.name}`, [a.status, a.body?.message]); return a.body; };
const pod = (name, spec = {}, meta = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...meta }, spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec } });

export default {
  async 'auth, impersonation and certificates'(t) {
    const n = t.ns;
    await t.kubectl(['create', 'sa', 'robot']);
    await t.kubectl(['create', 'role', 'reader', '--verb=get,list', '--resource=pods,configmaps']);
    await t.kubectl(['create', 'rolebinding', 'rb', '--role=reader', `--serviceaccount=${n}:robot`]);
    const as = `--as=system:serviceaccount:${n}:robot`;
    await t.until('the right is known', async () => (await t.quiet('GET', t.path('pods'), undefined, { 'impersonate-user': `system:serviceaccount:${n}:robot` })).status === 200);
    await each(t, `
      auth whoami ${as}
      auth whoami --as=jane --as-group=devs --as-uid=7 --as-user-extra=a=b
      auth can-i --list
      auth can-i --list ${as}
      auth can-i --list --as=nobody
      auth can-i get pods ${as}
      auth can-i delete pods ${as}
      auth can-i get pods/log ${as}
      auth can-i get pods --subresource=log ${as}
      auth can-i get pod/x ${as}
      auth can-i list pods -A ${as}
      auth can-i get /healthz ${as}
      auth can-i get /metrics ${as}
      auth can-i get /metrics
      auth can-i create jobs.batch ${as} -q
      auth can-i use podsecuritypolicies
      auth can-i get nodes
      auth can-i get nodes --as=jane -n default
      auth can-i list deployments.apps
      auth can-i get
      auth can-i get pods a b
      auth can-i get pods --as-group=x
      get pods ${as}
      get jobs ${as}
      get pod x ${as}
      create cm x ${as}
      create job j --image=x ${as}
      delete pod x ${as}
      get secrets -A ${as}
      get nodes ${as}
      get all ${as}
      describe pod x ${as}
      apply -f ${await t.file('c.json', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } })} ${as}
      label cm kube-root-ca.crt a=b ${as}
      patch cm kube-root-ca.crt -p {} ${as}
      scale deployment d --replicas=1 ${as}
      run x --image=x ${as}
      get pods -w --request-timeout=1s ${as}
      logs x ${as}
      exec x ${as} -- ls
      api-versions ${as}
      explain cm.data ${as}
      get --raw /healthz ${as}
      get --raw /metrics ${as}
      get cm kube-root-ca.crt -o name ${as}
      get pods --as=jane
      get pods --as-group=g
      get pods --as=system:anonymous
      get pods --as=jane --as-group=system:masters -o name
      get ns --as=jane
      create ns zz --as=jane
      get pods --token=bad
      get pods --as=x --as-uid=1 --as-group=y --as-group=z
      auth reconcile -f ${await t.file('r.json', { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'reader', namespace: n }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] }, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'new', namespace: n }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }] }] })}
      get role reader -o jsonpath={.rules}
      auth reconcile --remove-extra-permissions --remove-extra-subjects --dry-run=server -f ${await t.file('r2.json', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'reader', namespace: n }, rules: [] })}
      create role bad --verb=get --resource=secrets --as=jane
      create rolebinding esc --clusterrole=cluster-admin --user=jane ${as}
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.filter((l) => !/gitVersion|gitCommit|buildDate|goVersion|platform|gitTreeState|apiregistration|certificates\.k8s|flowcontrol|resource\.k8s|admissionreg|^# HELP|^# TYPE|_|credential-id/.test(l)).slice(0, 60) }; } });
  },
  async 'drain, cordon, taint'(t) {
    const node = await t.node(); t.mask(new RegExp(node, 'g'), '<node>');
    await post(t, 'pods', pod('bare', { nodeName: node })); await post(t, 'pods', pod('dir', { nodeName: node, volumes: [{ name: 'e', emptyDir: {} }] }));
    await each(t, `
      cordon ${node}
      cordon ${node}
      uncordon ${node}
      uncordon ${node}
      cordon absent
      cordon ${node} --dry-run=server
      get node ${node}
      taint nodes ${node} a=b:NoSchedule
      taint nodes ${node} a=b:NoSchedule
      taint nodes ${node} a=c:NoSchedule
      taint nodes ${node} a=c:NoSchedule --overwrite
      taint nodes ${node} a=b:Odd
      taint nodes ${node} q:NoExecute
      taint nodes ${node} zz-
      taint nodes ${node} a:NoSchedule-
      taint nodes ${node} q-
      taint nodes ${node} x=y
      taint nodes ${node} x=y:NoSchedule x-
      taint nodes absent x=y:NoSchedule
      get node ${node} -o jsonpath={.spec}
      drain ${node}
      drain ${node} --force
      drain ${node} --force --delete-emptydir-data --dry-run=client
      drain ${node} --force --delete-emptydir-data --dry-run=server
      drain ${node} --force --delete-emptydir-data --grace-period=0 --timeout=2s
      get pods
      drain absent
      drain
      drain ${node} --pod-selector=a=b
      get node ${node} -o wide
      label node ${node} x=y
      annotate node ${node} x=y
      patch node ${node} -p {"spec":{"podCIDR":"10.1.0.0/24"}}
      patch node ${node} -p {"spec":{"podCIDR":"10.2.0.0/24"}}
      patch node ${node} -p {"spec":{"providerID":"a"}}
      patch node ${node} -p {"spec":{"providerID":"b"}}
      delete node ${node} --dry-run=server
      delete node ${node}
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.sort(), stderr: s.stderr.filter((l) => !/^There are pending|retrying|<log>/.test(l)) }; } });
    for (const p of ['bare', 'dir']) await t.forget(p);
  },
  async 'events in all forms'(t) {
    const ev = (name, type, reason, about, extra = {}) => post(t, 'events', { metadata: { name }, type, reason, message: `message of ${name}`, source: { component: 'me', host: 'h' }, firstTimestamp: now(), lastTimestamp: now(), count: 1, involvedObject: { kind: 'Pod', name: about, namespace: t.ns, apiVersion: 'v1', uid: `uid-${about}` }, ...extra });
    await ev('e1', 'Normal', 'Started', 'p'); await ev('e2', 'Warning', 'Failed', 'p', { count: 7 }); await ev('e3', 'Normal', 'Done', 'q', { involvedObject: { kind: 'Job', name: 'q', namespace: t.ns, apiVersion: 'batch/v1' } });
    await t.quiet('POST', `/apis/events.k8s.io/v1/namespaces/${t.ns}/events`, { metadata: { name: 'e4' }, eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'r.c', reportingInstance: 'i', action: 'Act', reason: 'New', type: 'Normal', note: 'a note', regarding: { kind: 'Pod', name: 'p', namespace: t.ns } });
    await each(t, `
      get events --sort-by=.metadata.name
      get events -o wide --sort-by=.metadata.name
      get ev --sort-by=.metadata.name
      get events.events.k8s.io --sort-by=.metadata.name
      get events.v1.events.k8s.io e4 -o yaml
      get event e4 -o yaml
      get events --field-selector=type=Warning
      get events --field-selector=involvedObject.name=p,reason!=Failed -o name
      get events --field-selector=involvedObject.kind=Job
      get events --field-selector=source=me -o name
      get events --field-selector=reportingComponent=r.c -o name
      get events --field-selector=odd=x
      get events.events.k8s.io --field-selector=regarding.name=p -o name
      get events.events.k8s.io --field-selector=involvedObject.name=p
      events
      events --for=pod/p
      events --for=job/q
      events --for=jobs.batch/q
      events --types=Warning
      events --types=Odd
      events --for=pod/absent
      events --for=x
      events -A --for=pod/p --no-headers
      events -o json --for=job/q
      events -o name
      events -w --request-timeout=1s --for=job/q
      describe event e1
      delete event e1
      delete events --all
      get events
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/\d+[hd]\d*[hm]?/, '<age>')) }; } });
  },
  async 'streams without a node, cluster-info, config and mistakes'(t) {
    await post(t, 'pods', pod('p', { containers: [{ name: 'a', image: 'a' }, { name: 'b', image: 'b' }], initContainers: [{ name: 'i', image: 'i' }] })); await t.kubectl(['create', 'job', 'j', '--image=x']); await t.kubectl(['create', 'deployment', 'd', '--image=x', '--replicas=0']); await t.kubectl(['create', 'service', 'clusterip', 's', '--tcp=80']);
    await t.until('a pod', async () => (await t.podsOf('j')).length === 1);
    await each(t, `
      logs p
      logs p -c b
      logs p -c zz
      logs p --all-containers
      logs p -f --pod-running-timeout=1s
      logs p --previous
      logs p --tail=-2
      logs p --since=1s --since-time=2020-01-01T00:00:00Z
      logs p --since-time=x
      logs p --limit-bytes=0
      logs p --limit-bytes=-1
      logs job/j
      logs -l job-name=j
      logs -l a=b
      logs p -l a=b
      logs
      logs deployment/d --pod-running-timeout=1s
      logs svc/s --pod-running-timeout=1s
      logs cm/kube-root-ca.crt
      logs pod/p --timestamps --prefix
      exec p -- ls
      exec p -c b -- ls
      exec p -c zz -- ls
      exec -it p -- sh
      exec job/j -- ls
      exec deployment/d -- ls
      exec p
      attach p
      attach p -c b
      port-forward p 8080:80
      port-forward p x
      port-forward svc/s 8080:80
      port-forward svc/s 8080:99
      port-forward absent 80
      cp p:/x /tmp/x
      cp /nowhere/x p:/x
      debug p --image=x --attach=false -c dbg
      get pod p -o jsonpath={.spec.ephemeralContainers}
      debug p --image=x --copy-to=p2 --attach=false
      get pod p2 -o jsonpath={.spec.containers[*].name}
      debug p
      debug absent --image=x
      debug p --image=x --target=a --profile=general --attach=false -c d2 -q
      get pod p -o jsonpath={.spec.ephemeralContainers[*].name}
      debug node/absent --image=x
      top pods
      top nodes
      proxy --port=-1
      get pods --server=https://127.0.0.1:1
      get pods --kubeconfig=/nowhere
      get pods --user=absent
      get pods --cluster=absent
      get pods --request-timeout=x
      get pods --request-timeout=1
      get pods --insecure-skip-tls-verify=maybe
      cluster-info
      cluster-info dump --output-directory=/dev/null/x
      config get-contexts
      config current-context
      config get-clusters
      config get-users
      config view
      nope
      convert -f x
      options
      completion nosh
      help nothing
      get pods --as
      get -f
      api-resources --sort-by=odd
      version --client=maybe
      version -o odd
    `, { timeout: 8000, pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/\u001b\[[0-9;]*m/g, '').replace(/(ersion|ommit|buildDate|goVersion|platform|gitTreeState): .*/, '$1')).slice(0, 25), stderr: s.stderr.map((l) => l.replace(/parity-[\w-]+-pod|pid \d+/g, '<x>').replace(/memcache.go:\d+\]/, 'memcache.go]')).filter((l) => !/<log>/.test(l)).slice(0, 12) }; } });
  },
};

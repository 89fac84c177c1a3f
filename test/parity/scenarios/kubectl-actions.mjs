// Played against a real control plane and recorded: run, expose, scale, rollout, delete and wait.
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"').replace(/(nodePort"?: )\d+/, '$1<port>').replace(/:3\d{4}\/TCP/, ':<port>/TCP')), stderr: stderr.map((l) => l.replace(/^[EIW]\d{4} \S+ +\d+ /, '<log> ').replace(/\d+ms/g, '<ms>')) });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const post = async (t, r, o) => { const a = await t.quiet('POST', r.startsWith('/') ? r : t.path(r), o); if (a.status !== 201) t.show(`made ${o.metadata?.name}`, [a.status, a.body?.message]); return a.body; };
const pod = (name, spec = {}, meta = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...meta }, spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec } });
const meanwhile = async (t, args, act, o = { pick: steady }) => { const w = t.kubectl(args, o); await t.sleep(1000); await act(); await w; };

export default {
  async 'run and expose'(t) {
    await each(t, `
      run p --image=x --port=80 --labels=a=b,c=d --env=A=1 --annotations=n=1
      get pod p -o yaml
      run p --image=x
      run q --image=x --restart=OnFailure --command -- sleep 1
      get pod q -o jsonpath={.spec.containers}{.spec.restartPolicy}
      run r --image=x --privileged --image-pull-policy=Never -o yaml
      run s --image=x --dry-run=server -o name
      run t --image=x --overrides={"spec":{"hostNetwork":true,"nope":1}}
      run t --image=x --overrides={"apiVersion":"v1","spec":{"hostNetwork":true}} --override-type=strategic
      run u --image=x --override-type=json --overrides=[{"op":"add","path":"/metadata/labels/z","value":"y"}]
      run v --image=x --schedule=x
      run Bad --image=x
      run x --image=x --expose --port=99999
      run x --image=x --expose --port=80
      get svc x -o yaml
      run y --image=x --rm --attach --pod-running-timeout=1s
      run z --image=x -it --pod-running-timeout=1s --restart=Never
      run aa --image=x --labels=bad
      run ab --image=x --limits=cpu=1
      run ac --image=x --grace-period=5
      run ad --image=x --save-config -o jsonpath={.metadata.annotations}
      expose pod p --port=80
      expose pod p --name=p2 --port=90 --target-port=http --protocol=UDP --type=NodePort --labels=x=y --external-ip=1.2.3.4 --session-affinity=ClientIP
      get svc p2 -o yaml
      expose pod q
      expose pod q --port=80
      expose pod p --port=80
      expose svc p --name=p3 --port=81
      expose svc p --name=p4
      expose pod p --name=p5 --selector=q=r --cluster-ip=None --port=5
      get svc p5 -o jsonpath={.spec}
      expose pod p --name=p6 --port=80 --dry-run=client -o yaml
      expose pod p --name=p7 --port=80 --dry-run=server -o name
      expose pod absent --port=80
      expose cm kube-root-ca.crt --port=80
      expose pod p --name=p8 --port=80,81 --load-balancer-ip=1.1.1.1 --type=LoadBalancer
      get svc p8 -o jsonpath={.spec.ports}{.spec.loadBalancerIP}
      expose -f ${await t.file('p.json', pod('p', {}, { labels: { a: 'b' } }))} --name=p9 --port=7
      expose pod p --name=p10 --port=80 --overrides={"spec":{"type":"Odd"}}
      get svc
    `);
  },
  async 'scale, autoscale and rollout'(t) {
    await t.kubectl(['create', 'deployment', 'd', '--image=x', '--replicas=0']);
    await post(t, '/apis/apps/v1/namespaces/' + t.ns + '/statefulsets', { metadata: { name: 's' }, spec: { replicas: 0, serviceName: 'x', selector: { matchLabels: { a: 's' } }, template: { metadata: { labels: { a: 's' } }, spec: { containers: [{ name: 'a', image: 'b' }] } } } });
    await post(t, '/apis/apps/v1/namespaces/' + t.ns + '/replicasets', { metadata: { name: 'r' }, spec: { replicas: 0, selector: { matchLabels: { a: 'r' } }, template: { metadata: { labels: { a: 'r' } }, spec: { containers: [{ name: 'a', image: 'b' }] } } } });
    await post(t, 'replicationcontrollers', { metadata: { name: 'rc' }, spec: { replicas: 0, selector: { a: 'rc' }, template: { metadata: { labels: { a: 'rc' } }, spec: { containers: [{ name: 'a', image: 'b' }] } } } });
    await each(t, `
      scale deployment d --replicas=0
      scale deployment d --replicas=-1
      scale deployment d --current-replicas=5 --replicas=0
      scale deployment d --resource-version=1 --replicas=0
      scale sts/s rs/r rc/rc --replicas=0
      scale deployment absent --replicas=0
      scale --replicas=0 deployments --all
      scale pod x --replicas=1
      scale deployment d
      scale deployment d --replicas=0 --dry-run=server
      scale deployment d --replicas=0 --dry-run=client -o name
      scale --replicas=0 -l nothing=x deployments
      scale cm kube-root-ca.crt --replicas=1
      scale -f ${await t.file('d.json', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } })} --replicas=0
      get deployment d --subresource=scale
      get rs r --subresource=scale -o jsonpath={.status}{.spec}
      get sts s --subresource=scale -o jsonpath={.spec.replicas}
      patch deployment d --subresource=scale --type=merge -p {"spec":{"replicas":0}}
      patch deployment d --subresource=scale --type=merge -p {"spec":{"replicas":-4}}
      get sts s -o wide
      get rs r -o wide
      get rc rc -o wide
      autoscale deployment d --min=1 --max=3 --cpu-percent=50
      autoscale deployment d --max=3
      autoscale deployment d --name=h2 --min=5 --max=3
      autoscale deployment d --name=h3 --max=3 --cpu=60% --memory=100Mi
      autoscale deployment d
      autoscale pod p --max=2
      get hpa d -o jsonpath={.spec}
      get hpa h3 -o yaml
      delete hpa d h3
      rollout pause deployment/d
      rollout pause deployment/d
      rollout resume deployment/d
      rollout resume deployment/d
      rollout pause sts/s
      rollout undo deployment/absent
      rollout history deployment/absent
      rollout status cm/kube-root-ca.crt
      rollout restart sts/s
      rollout restart rs/r
      rollout restart deployment -l none=x
      rollout
    `);
  },
  async 'delete in all forms (takes 6 s)'(t) {
    for (const n of ['a', 'b', 'c', 'd', 'e']) await post(t, 'configmaps', { metadata: { name: n, labels: { app: n < 'c' ? 'x' : 'y' } } });
    const f = await t.file('two.json', { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'absent' } }, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } }] });
    await each(t, `
      delete -f ${f}
      delete -f ${f} --ignore-not-found
      delete cm c absent d
      delete cm/e pod/absent
      delete cm -l app=none
      delete cm --all --field-selector=metadata.name=zzz
      delete cm
      delete
      delete cm --all -l app=x
      delete cm a --dry-run=client
      delete cm kube-root-ca.crt --dry-run=server -o name
      delete cm a -o yaml
      delete nothing x
      delete cm a --cascade=odd
      delete cm a --now --grace-period=5
      delete pods --all --force
      delete --raw /api/v1/namespaces/absent-x/configmaps/x
      delete --raw /api/v1/namespaces/${t.ns}/configmaps/kube-root-ca.crt
      delete ns,pods x
      delete all --all
      delete cm --all -n absent-ns
      delete -f /nowhere
      delete -k /nowhere
      delete cm x --wait=false --ignore-not-found
      delete cm -A --field-selector=metadata.name=zz
      delete cm x -A
      delete nodes --all --dry-run=client -l none=x
    `);
    await post(t, 'configmaps', { metadata: { name: 'held', finalizers: ['e.x/hold'] } });
    await each(t, `
      delete cm held --timeout=1s
      delete cm held --wait=false
      get cm held
      get cm held -o jsonpath={.metadata.finalizers}{.metadata.deletionGracePeriodSeconds}
      patch cm held --type=merge -p {"metadata":{"finalizers":["e.x/hold","e.x/new"]}}
      patch cm held --type=merge -p {"metadata":{"labels":{"a":"b"}}}
      create cm held
      apply view-last-applied cm/held
      label cm held x=y
    `);
    await meanwhile(t, ['delete', 'cm', 'held', '--timeout=10s'], () => t.quiet('PATCH', t.path('configmaps', 'held'), { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' }));
    const node = await t.node(); t.mask(new RegExp(node, 'g'), '<node>');
    await post(t, 'pods', pod('p', { nodeName: node, terminationGracePeriodSeconds: 7 }));
    await each(t, `
      delete pod p --wait=false
      get pod p -o jsonpath={.metadata.deletionGracePeriodSeconds}
      delete pod p --wait=false --grace-period=3
      get pod p -o jsonpath={.metadata.deletionGracePeriodSeconds}
      delete pod p --wait=false --grace-period=9
      get pod p -o jsonpath={.metadata.deletionGracePeriodSeconds}
      get pods
      delete pod p --force --grace-period=0
      get pods
    `);
    await post(t, 'configmaps', { metadata: { name: 'owner' } }); const owner = await t.read('configmaps', 'owner');
    for (const n of ['k1', 'k2']) await post(t, 'configmaps', { metadata: { name: n, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid, blockOwnerDeletion: true }] } });
    await each(t, `
      delete cm owner --cascade=foreground
      get cm -l nothing= -o name
      get cm k1
    `);
  },
  async 'wait for everything (takes 10 s)'(t) {
    const words = { pick: ({ code, stdout, stderr }) => ({ code, stdout, stderr: stderr.filter((l) => /^(error|timed out|Error)|^$/i.test(l)) }) };
    await post(t, 'pods', pod('p')); await post(t, 'pods', pod('q'));
    await t.status('p', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }, { type: 'Odd', status: 'Unknown' }] });
    await each(t, `
      wait --for=condition=Ready pod/p --timeout=1s
      wait --for=condition=ready pod p q --timeout=1s
      wait --for=condition=Ready=false pod/p --timeout=1s
      wait --for=condition=Odd=unknown pod/p --timeout=1s
      wait --for=condition=Absent=false pod/p --timeout=1s
      wait --for=jsonpath={.status.phase}=Running pod/p --timeout=1s
      wait --for=jsonpath=.status.phase=Running pod/p --timeout=1s
      wait --for=jsonpath={.status.podIP} pod/p --timeout=1s
      wait --for=jsonpath={.spec.containers[0].image}=a:1 pods --all --timeout=1s
      wait --for=jsonpath={.spec.containers[*].image}=a:1 pods/p --timeout=1s
      wait --for=jsonpath={.spec} pod/p --timeout=1s
      wait --for=jsonpath={.spec}=x pod/p --timeout=1s
      wait --for=jsonpath={ pod/p --timeout=1s
      wait --for=delete pod/absent --timeout=1s
      wait --for=delete pod -l no=x --timeout=1s
      wait --for=create pod/p --timeout=1s
      wait --for=create pod --all --timeout=1s
      wait --for=create pod -l a=b --timeout=1s
      wait --for=Ready pod/p
      wait pod/p
      wait --for=condition=Ready pods --timeout=1s
      wait --for=condition=Ready nothing/x --timeout=1s
      wait --for=condition=Ready pod/p --timeout=-1s
      wait --for=condition=Ready pods -A --field-selector=metadata.name=zzz --timeout=1s
      wait --for=condition=Ready pod p --timeout=x
      wait --for=condition=Ready -f ${await t.file('p.json', pod('p'))} --timeout=1s
      wait --for=condition=Ready cm/kube-root-ca.crt --timeout=1s
      wait --for=condition=Ready --local -f x
      wait --for=condition=Ready pod/p -o name --timeout=1s
      wait --for=jsonpath={.status.phase}=Active ns/${t.ns} --timeout=1s
      wait --for=condition=Ready pod/p pod/absent --timeout=1s
    `, words);
    await meanwhile(t, ['wait', '--for=delete', 'pod', '--all', '--timeout=9s'], async () => { await t.forget('p'); await t.forget('q'); }, words);
    await meanwhile(t, ['wait', '--for=condition=Ready', 'pod/late', '--timeout=2s'], () => post(t, 'pods', pod('late')), words);
    await meanwhile(t, ['wait', '--for=create', 'pod/soon', '--timeout=9s'], () => post(t, 'pods', pod('soon')), words);
    await meanwhile(t, ['wait', '--for=condition=Ready=False', 'pod/soon', '--timeout=9s'], () => t.status('soon', { conditions: [{ type: 'Ready', status: 'False' }] }), words);
    await meanwhile(t, ['wait', '--for=condition=Ready', 'pod/soon', '--timeout=9s'], () => t.forget('soon'), words);
  },
};

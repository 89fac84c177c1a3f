// Played against a real control plane and recorded: describe of everything that is served.
const job = (name, spec = {}, template = {}, metadata = {}) => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, ...metadata }, spec: { ...spec, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example/image', command: ['run'] }], ...template } } } });
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"').replace(/\b3\d{4}\/TCP/, '<port>/TCP')), stderr });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};
const post = async (t, r, o) => { const a = await t.quiet('POST', r.startsWith('/') ? r : t.path(r), o); if (a.status !== 201) t.show(`made ${o.metadata?.name}`, [a.status, a.body?.message]); return a.body; };
const settle = (t, name, f) => t.until(`${name} is settled`, async () => { const j = await t.read('jobs', name); return j && f(j.status ?? {}); });

const RICH = {
  terminationGracePeriodSeconds: 5, priorityClassName: 'system-cluster-critical', nodeSelector: { disk: 'ssd', zone: 'a' }, runtimeClassName: undefined, serviceAccountName: 'default', hostname: 'h', enableServiceLinks: false, shareProcessNamespace: true, hostNetwork: false,
  securityContext: { runAsUser: 1, fsGroup: 2, seccompProfile: { type: 'RuntimeDefault' } }, imagePullSecrets: [{ name: 'reg' }], readinessGates: [{ conditionType: 'e.x/gate' }], schedulingGates: [{ name: 'e.x/wait' }],
  tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 60 }, { operator: 'Exists' }], topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } }],
  initContainers: [{ name: 'setup', image: 'i', command: ['sh', '-c', 'echo\nworld'], restartPolicy: 'Always' }, { name: 'second', image: 'j', args: ['x', 'y'] }],
  containers: [
    { name: 'main', image: 'alpine', command: ['run'], args: ['--flag', 'two words'], workingDir: '/w', ports: [{ containerPort: 80, name: 'http', hostPort: 8080 }, { containerPort: 53, protocol: 'UDP' }], resources: { limits: { cpu: '1500m', memory: '1Gi', 'ephemeral-storage': '2Gi' }, requests: { cpu: '0.5', memory: '512Mi' } },
      env: [{ name: 'A', value: 'one\ntwo' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.labels[\'x\']' } } }, { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'main', divisor: '1m' } } }, { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }, { name: 'E', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } }], envFrom: [{ secretRef: { name: 's', optional: true } }, { configMapRef: { name: 'c' }, prefix: 'P_' }],
      livenessProbe: { httpGet: { path: '/up', port: 'http', scheme: 'HTTPS', host: 'me', httpHeaders: [{ name: 'X', value: 'y' }] }, initialDelaySeconds: 3 }, readinessProbe: { exec: { command: ['cat', '/x y'] }, periodSeconds: 2, failureThreshold: 9 }, startupProbe: { tcpSocket: { port: 80 }, timeoutSeconds: 4 },
      lifecycle: { preStop: { exec: { command: ['bye'] } }, postStart: { httpGet: { path: '/', port: 80 } } }, volumeMounts: [{ name: 'conf', mountPath: '/c', subPath: 'x', readOnly: true }, { name: 'tmp', mountPath: '/t', mountPropagation: 'HostToContainer' }], volumeDevices: [{ name: 'claim', devicePath: '/dev/x' }], terminationMessagePolicy: 'FallbackToLogsOnError' },
    { name: 'grpc', image: 'g', livenessProbe: { grpc: { port: 9, service: 's' } }, readinessProbe: { grpc: { port: 9 } }, resources: { claims: [] }, securityContext: { privileged: true }, stdin: true, tty: true },
  ],
  volumes: [
    { name: 'conf', configMap: { name: 'c', items: [{ key: 'a', path: 'b' }], defaultMode: 256, optional: true } }, { name: 'sec', secret: { secretName: 's', optional: true } }, { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }, { name: 'host', hostPath: { path: '/h', type: 'Directory' } }, { name: 'claim', persistentVolumeClaim: { claimName: 'data', readOnly: true } }, { name: 'nfs', nfs: { server: 'n', path: '/p' } },
    { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } }] } }, { name: 'proj', projected: { sources: [{ secret: { name: 's' } }, { configMap: { name: 'c', optional: true } }, { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } }, { serviceAccountToken: { path: 't', expirationSeconds: 700, audience: 'me' } }] } }, { name: 'csi', csi: { driver: 'd.e', readOnly: true, fsType: 'ext4', volumeAttributes: { a: 'b' } } }, { name: 'eph', ephemeral: { volumeClaimTemplate: { metadata: { labels: { l: 'm' } }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } } } }, { name: 'iscsi', iscsi: { targetPortal: '1.2.3.4', iqn: 'iqn.2001-04.com.example:storage.kube.sys1.xyz', lun: 0 } }, { name: 'img', image: { reference: 'r:1', pullPolicy: 'Never' } }, { name: 'git', gitRepo: { repository: 'http://x', revision: 'r' } }, { name: 'fc', fc: { targetWWNs: ['a'], lun: 1 } },
  ],
};

export default {
  async 'a pod with everything'(t) {
    await post(t, 'pods', { metadata: { name: 'rich', labels: { a: 'b' }, annotations: { note: 'two\nlines', other: 'x' } }, spec: RICH });
    await each(t, `
      describe pod rich
      get pod rich -o wide
      get pod rich -o yaml
    `);
    const node = await t.node();
    t.mask(new RegExp(node, 'g'), '<node>');
    await post(t, 'pods', { metadata: { name: 'two', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u', controller: true }] }, spec: { nodeName: node, initContainers: [{ name: 'i', image: 'i' }], containers: [{ name: 'a', image: 'a' }, { name: 'b', image: 'b' }] } });
    const state = (name, s, more = {}) => ({ name, state: s, ready: false, restartCount: 0, image: `img/${name}`, imageID: 'sha256:1', containerID: 'containerd://1', lastState: {}, ...more });
    await t.status('two', { phase: 'Running', hostIP: '9.9.9.9', hostIPs: [{ ip: '9.9.9.9' }], podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }, { ip: 'fd00::1' }], startTime: now(), qosClass: 'BestEffort', message: 'a message', reason: 'AReason',
      conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' }, { type: 'Initialized', status: 'True' }, { type: 'PodScheduled', status: 'True' }],
      initContainerStatuses: [state('i', { terminated: { exitCode: 0, reason: 'Completed', startedAt: now(), finishedAt: now(), containerID: 'c' } }, { ready: true })],
      containerStatuses: [state('a', { running: { startedAt: now() } }, { ready: true, started: true, restartCount: 2, lastState: { terminated: { exitCode: 137, signal: 9, reason: 'OOMKilled', message: 'killed', startedAt: now(), finishedAt: now() } } }), state('b', { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }, { restartCount: 5 })] });
    await each(t, `
      describe pod two
      get pod two -o wide
      get pods
      get pods --sort-by=.status.startTime -o name
      get pods --field-selector=status.podIP=10.1.2.3 -o name
      get pods --field-selector=spec.nodeName=${node} -o name
      get pods --field-selector=spec.restartPolicy=Always,status.nominatedNodeName= -o name
      get pods --field-selector=spec.schedulerName=default-scheduler,spec.serviceAccountName=default,spec.hostNetwork=false -o name
      top pod two
      top node ${node}
    `);
    await each(t, `
      describe node ${node}
      get node ${node} -o wide
    `, { pick: (r) => ({ ...steady(r), stdout: r.stdout.filter((l) => !/^Annotations:|ttl/.test(l)) }) });
    await t.kubectl(['delete', 'pod', 'two', '--wait=false']);
    await each(t, `
      describe pod two
      get pod two
    `);
    await t.forget('two');
  },
  async 'volumes, claims and classes'(t) {
    const n = t.ns;
    await post(t, '/apis/storage.k8s.io/v1/storageclasses', { metadata: { name: `${n}-sc`, annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } }, provisioner: 'e.x/p', parameters: { a: 'b', c: 'd' }, reclaimPolicy: 'Retain', volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true, mountOptions: ['ro', 'x'], allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'b'] }] }] });
    await post(t, '/api/v1/persistentvolumes', { metadata: { name: `${n}-pv`, labels: { a: 'b' } }, spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], persistentVolumeReclaimPolicy: 'Retain', storageClassName: `${n}-sc`, hostPath: { path: '/data', type: 'DirectoryOrCreate' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }] } } } });
    await post(t, 'persistentvolumeclaims', { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteMany'], storageClassName: `${n}-sc`, resources: { requests: { storage: '1Gi' } }, selector: { matchLabels: { x: 'y' } }, volumeMode: 'Filesystem' } });
    await post(t, 'persistentvolumeclaims', { metadata: { name: 'plain', annotations: { z: '1' } }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName: 'none-such', resources: { requests: { storage: '1500Mi' }, limits: { storage: '2Gi' } } } });
    await t.kubectl(['run', 'user', '--image=x', '--overrides={"spec":{"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"plain"}}]}}']);
    await each(t, `
      describe sc ${n}-sc
      get sc ${n}-sc
      describe pv ${n}-pv
      get pv ${n}-pv
      get pv ${n}-pv -o wide
      get pvc
      get pvc -o wide
      describe pvc plain
      describe pvc data --show-events=false
      get pvc data -o yaml
      patch pv ${n}-pv -p {"spec":{"persistentVolumeReclaimPolicy":"Delete"}}
      patch pv ${n}-pv -p {"spec":{"hostPath":{"path":"/other"}}}
      patch pvc plain -p {"spec":{"volumeName":"other"}}
      patch sc ${n}-sc -p {"provisioner":"x"}
      patch sc ${n}-sc -p {"allowVolumeExpansion":false}
      delete pvc data
      delete pvc plain --wait=false
      get pvc plain -o jsonpath={.metadata.finalizers}
      delete pv ${n}-pv
      delete sc ${n}-sc
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.filter((l) => !/^ {2}(Normal|Warning) /.test(l)) }; } });
  },
  async 'services, endpoints, quotas, limits and budgets'(t) {
    const node = await t.node();
    t.mask(new RegExp(node, 'g'), '<node>');
    for (const [i, ready] of [[1, 'True'], [2, 'False']]) { await post(t, 'pods', { metadata: { name: `w${i}`, labels: { app: 'w' } }, spec: { nodeName: node, containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 8080, name: 'web' }] }] } }); await t.status(`w${i}`, { phase: 'Running', podIP: `10.9.0.${i}`, podIPs: [{ ip: `10.9.0.${i}` }], conditions: [{ type: 'Ready', status: ready }] }); }
    await post(t, 'services', { metadata: { name: 'w', annotations: { a: 'b' }, labels: { l: 'm' } }, spec: { selector: { app: 'w' }, sessionAffinity: 'ClientIP', externalIPs: ['1.2.3.4'], ports: [{ name: 'web', port: 80, targetPort: 'web' }, { name: 'udp', port: 53, protocol: 'UDP' }], internalTrafficPolicy: 'Local' } });
    await t.until('endpoints are there', async () => (await t.items('endpointslices')).some((s) => s.endpoints?.length === 2));
    await t.until('endpoints are there', async () => (await t.read('endpoints', 'w'))?.subsets?.length);
    await each(t, `
      describe service w
      get endpoints w
      get svc w -o wide
    `, { pick: steady });
    await each(t, `
      describe endpointslices
      get endpointslices
    `, { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/w-[a-z0-9]{5}/g, 'w-<gen>')) }; } });
    await post(t, 'resourcequotas', { metadata: { name: 'q' }, spec: { hard: { pods: '10', 'requests.cpu': '2', 'limits.memory': '4Gi', 'count/jobs.batch': '5', services: '3', configmaps: '10' } } });
    await post(t, 'resourcequotas', { metadata: { name: 'scoped' }, spec: { hard: { pods: '10' }, scopes: ['NotTerminating', 'BestEffort'] } });
    await post(t, 'limitranges', { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '10m' }, default: { cpu: '1' }, defaultRequest: { cpu: '100m' }, maxLimitRequestRatio: { cpu: '20' } }, { type: 'Pod', max: { memory: '8Gi' } }, { type: 'PersistentVolumeClaim', max: { storage: '5Gi' } }] } });
    await t.kubectl(['create', 'pdb', 'b', '--selector=app=w', '--min-available=1']);
    await t.until('the quota is counted', async () => (await t.read('resourcequotas', 'q')).status?.used?.pods === '2');
    await t.until('the budget is counted', async () => (await t.quiet('GET', `/apis/policy/v1/namespaces/${t.ns}/poddisruptionbudgets/b`)).body.status?.expectedPods === 2);
    await each(t, `
      describe quota q
      describe quota scoped
      get quota
      describe limits l
      get limits
      get limits l -o yaml
      describe ns ${t.ns}
      get pdb
      get pdb b -o yaml
      run x --image=x
      create deployment no --image=x --replicas=0
      get pod x -o jsonpath={.spec.containers[0].resources}{.metadata.annotations}
      run big --image=x --overrides={"spec":{"containers":[{"name":"big","image":"x","resources":{"limits":{"cpu":"3"}}}]}}
      run small --image=x --overrides={"spec":{"containers":[{"name":"big","image":"x","resources":{"requests":{"cpu":"1m"}}}]}}
    `);
    await each(t, `
      describe pdb b
    `, { pick: (r) => ({ ...steady(r), stdout: r.stdout.filter((l) => !/^ {2}(Normal|Warning) /.test(l)) }) });
    for (const p of ['w1', 'w2']) await t.forget(p);
  },
  async 'jobs in all states'(t) {
    const one = async (name) => { await t.until(`${name} has a pod`, async () => (await t.podsOf(name)).length > 0); return t.podsOf(name); };
    await post(t, 'jobs', job('queue', { parallelism: 2 })); await one('queue'); await settle(t, 'queue', (s) => s.active === 2 && s.ready === 0);
    await each(t, `
      describe job queue
      get job queue
    `, { pick: (r) => ({ ...steady(r), stdout: r.stdout.map((l) => l.replace(/queue-[a-z0-9]{5}/, 'queue-<gen>')).filter((l, i, a) => l !== a[i - 1]) }) });
    await post(t, 'jobs', job('dead', { activeDeadlineSeconds: 0 })); await settle(t, 'dead', (s) => s.conditions?.some((c) => c.type === 'Failed'));
    await t.until('event', async () => (await t.items('events', 'fieldSelector=involvedObject.name%3Ddead')).length >= 1);
    await each(t, `
      describe job dead
      get job dead
    `);
    await post(t, 'jobs', job('zero', { completions: 0 })); await settle(t, 'zero', (s) => s.completionTime);
    await t.until('event', async () => (await t.items('events', 'fieldSelector=involvedObject.name%3Dzero')).length >= 1);
    await each(t, `
      describe job zero
      get job zero
    `);
    await post(t, 'jobs', job('managed', { managedBy: 'e.x/other', ttlSecondsAfterFinished: 5 })); await each(t, `
      describe job managed
      get job managed -o wide
    `);
    await post(t, 'jobs', job('policy', { completions: 3, parallelism: 1, completionMode: 'Indexed', backoffLimitPerIndex: 1, maxFailedIndexes: 1, successPolicy: { rules: [{ succeededIndexes: '0' }] }, podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [1, 2] } }] }, podReplacementPolicy: 'Failed', suspend: true }, RICH_JOB)); await settle(t, 'policy', (s) => s.conditions?.length);
    await t.until('event', async () => (await t.items('events', 'fieldSelector=involvedObject.name%3Dpolicy')).length >= 1);
    await each(t, `
      describe job policy
      get job policy -o wide
      get job policy -o yaml
    `);
    await t.kubectl(['create', 'cronjob', 'cj', '--image=x', '--schedule=@yearly', '--', 'a', 'b c']);
    await t.kubectl(['create', 'job', 'hand', '--from=cronjob/cj']); await one('hand');
    await t.until('events', async () => (await t.items('events', 'fieldSelector=involvedObject.name%3Dcj')).length >= 1);
    await t.kubectl(['patch', 'cronjob', 'cj', '-p', '{"spec":{"timeZone":"Etc/UTC","successfulJobsHistoryLimit":0,"failedJobsHistoryLimit":0,"startingDeadlineSeconds":10}}']);
    await each(t, `
      describe cronjob cj
      get cronjob cj -o wide
      get cj
      get job hand -o jsonpath={.metadata.ownerReferences[0].kind}{.metadata.annotations}
      describe cj cj --show-events=false
    `);
  },
  async 'accounts, rights, nodes and namespaces'(t) {
    await t.kubectl(['create', 'sa', 'robot']);
    await each(t, `
      describe sa robot
      describe sa default
      describe clusterrole view
      describe clusterrole cluster-admin
      describe clusterrole system:node-proxier
      describe clusterrolebinding cluster-admin
      describe clusterrolebinding system:node
      describe pc system-node-critical
      get clusterroles admin edit view cluster-admin
      get clusterrolebindings cluster-admin -o wide
      get ns kube-system kube-public kube-node-lease default
      describe ns kube-node-lease
      get svc -n default kubernetes
      get sa -n kube-system default
      get pc
      get csidrivers
      get leases -n kube-node-lease
      get controllerrevisions
      describe lease -n default
      get events -A --field-selector=reason=Nothing
      get runtimeclasses
      get hpa
      get netpol
      get ingressclass
      get volumeattachments
      get csinodes
      get crd
      get podtemplates
      get rc,rs,sts,ds,deploy
    `,
      { pick: (r) => { const s = steady(r); return { ...s, stdout: s.stdout.map((l) => l.replace(/^(token:).*/, '$1').replace(/Image pull secrets/, 'Image pull secrets').replace(/\d{4}\/TCP/, '<port>/TCP').replace(/:\d{4}\b/, ':<port>')) }; } });
  },
};
const RICH_JOB = { ...RICH, restartPolicy: 'Never', schedulingGates: undefined, readinessGates: undefined, containers: RICH.containers.map((c) => ({ ...c, livenessProbe: undefined })) };

// Played against a real control plane and recorded: what `kubectl create` makes of every kind, and what it refuses.
const IP = /\b(10\.0\.\d+\.\d+|172\.\d+\.\d+\.\d+|10\.96\.\d+\.\d+)\b/g;
const steady = ({ code, stdout, stderr }) => ({ code, stdout: stdout.map((l) => l.replace(/(resourceVersion"?: )"\d+"/, '$1"<rv>"').replace(/(nodePort"?: )\d+/, '$1<port>').replace(/:3\d{4}\/TCP/g, ':<port>/TCP')), stderr });
/** Runs kubectl with each line of the text; words with blanks in them stand in single quotes. */
const each = async (t, text, options = { pick: steady }) => {
  t.mask(IP, '<ip>');
  for (const line of text.trim().split('\n')) await t.kubectl(line.trim().match(/(?:'[^']*'|[^' ])+/g).map((word) => word.replaceAll("'", '')), options);
};

export default {
  async 'services of every type'(t) {
    await each(t, `
      create service nodeport np --tcp=80:8080 --node-port=31999 --dry-run=client -o yaml
      create service nodeport np --tcp=80:8080
      get service np -o yaml
      create service loadbalancer lb --tcp=80:8080 --tcp=443:8443
      get service lb -o yaml
      create service externalname out --external-name example.com --tcp=5432
      get service out -o yaml
      create service externalname bad --external-name Not_A_Name
      create service clusterip none --clusterip=None
      create service clusterip none --tcp=5000 --clusterip=None
      get service none -o yaml
      create service clusterip bad --tcp=x
      create service clusterip bad --tcp=80:notaportnamewhichistoolong
      create service clusterip bad --tcp=70000
      create service clusterip bad --clusterip=oops --tcp=80
      create service nodeport bad --tcp=80 --node-port=80
      create service clusterip np --tcp=80
      get services
      get services -o wide
      describe service np
      describe service lb
      describe service out
      describe service none
      get endpoints
      create service
      create service odd x
      delete service np lb out none
    `);
  },
  async 'secrets of every type'(t) {
    const cert = '-----BEGIN CERTIFICATE-----\nMIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn+dNuaTAKBggqhkjOPQQDAjASMRAw\nDgYDVQQKEwdBY21lIENvMB4XDTE3MTAyMDE5NDMwNloXDTE4MTAyMDE5NDMwNlow\nEjEQMA4GA1UEChMHQWNtZSBDbzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD0d\n7VNhbWvZLWPuj/RtHFjvtJBEwOkhbN/BnnE8rnZR8+sbwnc/KhCk3FhnpHZnQz7B\n5aETbbIgmuvewdjvSBSjYzBhMA4GA1UdDwEB/wQEAwICpDATBgNVHSUEDDAKBggr\nBgEFBQcDATAPBgNVHRMBAf8EBTADAQH/MCkGA1UdEQQiMCCCDmxvY2FsaG9zdDo1\nNDUzgg4xMjcuMC4wLjE6NTQ1MzAKBggqhkjOPQQDAgNIADBFAiEA2zpJEPQyz6/l\nWf86aX6PepsntZv2GYlA5UpabfT2EZICICpJ5h/iI+i341gBmLiAFQOyTDT+/wQc\n6MF9+Yw1Yy0t\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\nAwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\nEKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n-----END EC PRIVATE KEY-----\n';
    const c = await t.file('c.pem', cert), k = await t.file('k.pem', key);
    await each(t, `
      create secret docker-registry reg --docker-server=r.example --docker-username=u --docker-password=p --docker-email=e@x.y
      get secret reg -o yaml
      describe secret reg
      create secret tls web --cert=${c} --key=${k}
      get secret web -o yaml
      describe secret web
      create secret tls bad --cert=${k} --key=${k}
      create secret generic basic --type=kubernetes.io/basic-auth --from-literal=username=u --from-literal=password=p
      create secret generic bad --type=kubernetes.io/basic-auth --from-literal=x=u
      create secret generic bad --type=kubernetes.io/ssh-auth --from-literal=x=u
      create secret generic bad --type=kubernetes.io/tls --from-literal=x=u
      create secret generic bad --type=kubernetes.io/dockerconfigjson --from-literal=.dockerconfigjson=x
      create secret generic bad --type=kubernetes.io/dockercfg --from-literal=x=x
      create secret generic bad --type=kubernetes.io/service-account-token --from-literal=x=x
      create secret generic bad --from-literal=a/b=x
      create secret generic bad --from-literal=a=x --append-hash --dry-run=client -o yaml
      create secret generic basic --from-literal=a=b
      get secrets
      get secrets --field-selector=type=kubernetes.io/tls
      get secrets --field-selector=type!=kubernetes.io/tls -o name
      get secret --field-selector=data=x
      patch secret basic -p {"type":"Opaque"}
      patch secret basic -p {"stringData":{"username":"other"}}
      get secret basic -o jsonpath={.data}
      patch secret basic -p {"immutable":true}
      patch secret basic -p {"immutable":false}
      patch secret basic -p {"data":{"x":"eA=="}}
      patch secret basic -p {"data":{"x":"!!"}}
      create secret
      create secret odd
    `);
  },
  async 'configmaps from everything'(t) {
    const f = await t.file('settings.txt', 'a=1\nb=2\n');
    const bin = await t.file('x.env', 'A=1\n# note\n\nB=two words\nHOME\n');
    await each(t, `
      create configmap one --from-file=${f}
      create configmap two --from-file=key=${f} --from-literal=x=y
      create configmap three --from-env-file=${bin}
      get cm one two three -o yaml
      describe cm one two three
      create configmap bad --from-file=a/b=${f}
      create configmap bad --from-env-file=${f} --from-literal=a=b
      create configmap bad --from-literal=a=1 --from-literal=a=2
      create configmap bad --from-literal=..=1
      create configmap empty
      get cm empty -o yaml
      describe cm empty
      create configmap h --from-literal=a=1 --append-hash
      get cm -o name
      create configmap
      create configmap x y
      patch cm one -p {"immutable":true}
      patch cm one -p {"data":{"a":"b"}}
      patch cm one --type=merge -p {"immutable":null}
      patch cm one -p {"metadata":{"labels":{"a":"b"}}}
      patch cm two -p {"binaryData":{"x":"AAEC"}}
      patch cm two -p {"binaryData":{"z":"AAEC"}}
      describe cm two
      get cm
      get cm -o wide
    `);
  },
  async 'rights'(t) {
    await each(t, `
      create role reader --verb=get,list --verb=watch --resource=pods,jobs.batch
      get role reader -o yaml
      describe role reader
      create role one --verb=get --resource=pods --resource-name=a --resource-name=b
      describe role one
      create role sub --verb=create --resource=pods/exec,jobs/status
      get role sub -o yaml
      describe role sub
      create role bad --verb=get --resource=chobs
      create role bad --verb=fly --resource=pods
      create role bad --resource=pods
      create role bad --verb=get
      create role bad --verb=list --resource=pods,nodes
      create role reader --verb=get --resource=pods
      create rolebinding rb --role=reader --user=jane --group=devs --serviceaccount=default:robot
      get rolebinding rb -o yaml
      describe rolebinding rb
      get rolebinding -o wide
      get roles,rolebindings
      create rolebinding cb --clusterrole=view --serviceaccount=robot
      create rolebinding cb --clusterrole=view --serviceaccount=${t.ns}:robot
      describe rolebinding cb
      create rolebinding no
      create rolebinding no --role=a --clusterrole=b --user=x
      create rolebinding absent --role=absent --user=x
      patch rolebinding rb -p {"roleRef":{"name":"other"}}
      patch rolebinding rb --type=json -p [{"op":"remove","path":"/subjects"}]
      create clusterrole ${t.ns}-cr --verb=get --non-resource-url=/healthz --verb=post
      create clusterrole ${t.ns}-cr --verb=get --non-resource-url=/healthz
      describe clusterrole ${t.ns}-cr
      create clusterrole ${t.ns}-ag --aggregation-rule=a=b,c=d
      get clusterrole ${t.ns}-ag -o yaml
      create clusterrole ${t.ns}-x --verb=get --resource=nodes,pods --resource-name=a -o yaml --dry-run=server
      create clusterrolebinding ${t.ns}-crb --clusterrole=view --user=u --group=g --serviceaccount=a:b
      get clusterrolebinding ${t.ns}-crb -o wide
      describe clusterrolebinding ${t.ns}-crb
      get clusterrolebinding ${t.ns}-crb -o yaml
      delete clusterrolebinding ${t.ns}-crb
      delete clusterrole ${t.ns}-cr ${t.ns}-ag
      set subject rolebinding cb --user=jack --group=admins
      get rolebinding cb -o jsonpath={.subjects}
      set subject rolebinding cb --serviceaccount=x:y --dry-run=server
      set subject role reader --user=x
    `);
  },
  async 'quotas, limits, budgets, priorities'(t) {
    await each(t, `
      create quota q1 --hard=cpu=1,memory=1G,pods=2,services=3 --scopes=BestEffort
      create quota q1 --hard=pods=2 --scopes=BestEffort
      create quota q2 --hard=pods=2 --scopes=Odd
      create quota q3 --hard=cpu=x
      create quota q4 --hard=cpu=1,requests.storage=10Gi,count/configmaps=100
      get quota
      get quota q4 -o wide
      describe quota q1
      create quota q5
      get quota q5 -o yaml
      create quota q6 --hard=odd.example/x=1
      create quota q7 --hard=nothing=1
      create pdb b1 --selector=app=x --min-available=1
      create pdb b2 --selector=app=y --max-unavailable=50%
      create pdb b3 --selector=app=y --max-unavailable=1 --min-available=1
      create pdb b4 --min-available=1
      create pdb b5 --selector=a=b --min-available=-1
      create pdb b6 --selector=a=b --min-available=150%
      get pdb
      describe pdb b1
      describe pdb b2
      get poddisruptionbudget b2 -o jsonpath={.spec}
      create priorityclass ${t.ns}-a --value=5 --global-default=false --description=some
      describe priorityclass ${t.ns}-a
      get pc ${t.ns}-a -o yaml
      create priorityclass ${t.ns}-b --value=2000000000
      create pc ${t.ns}-c --preemption-policy=Odd --value=1
      patch pc ${t.ns}-a -p {"value":6}
      patch pc ${t.ns}-a -p {"description":"more"}
      delete pc ${t.ns}-a
      create priorityclass system-x --value=1
      get pc
      delete pc system-node-critical
    `);
  },
  async 'serviceaccounts, tokens and namespaces'(t) {
    await each(t, `
      create sa robot
      create sa robot
      get sa
      get sa robot -o yaml
      describe sa robot
      create token robot --bound-object-kind=Pod --bound-object-name=absent
      create token robot --bound-object-kind=Odd --bound-object-name=absent
      create token robot --duration=-5s
      create token robot --bound-object-name=absent
      create token robot --bound-object-kind=Secret --bound-object-name=absent --bound-object-uid=1
      create token
      create namespace Bad_Name
      create namespace
      create ns default
      create ns kube-system
      get ns default kube-system -o name
      get ns ${t.ns}
      get ns ${t.ns} -o wide
      describe ns ${t.ns}
      delete ns absent-namespace
      delete ns default
      delete ns kube-system
      get ns --field-selector=status.phase=Active,metadata.name=default
      create ns ${t.ns}-c --dry-run=server
      create ns ${t.ns}-c --dry-run=server -o yaml
      label ns ${t.ns} a=b kubernetes.io/metadata.name=other
      label ns ${t.ns} --overwrite kubernetes.io/metadata.name=other
      get ns ${t.ns} --show-labels
      label ns ${t.ns} kubernetes.io/metadata.name-
      get ns ${t.ns} --show-labels
    `);
  },
};

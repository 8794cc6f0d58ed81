// Decides cases by the policies of a role, with AWS's own authorization data: JSON on stdin, one decision each on stdout.
//
// in:  {"policies": [document], "resourcePolicy": document or null, "account": whose resources they are,
//       "cases": [{"principal": arn, "action", "resource", "context": {key: value or values}}]}
// out: ["Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied" | {what is wrong with the case}]
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const { policies, resourcePolicy, account, cases } = JSON.parse(readFileSync(0, 'utf8'))
const identityPolicies = policies.map((policy, index) => ({ name: `policy${index}`, policy }))

async function decide({ principal, action, resource, context }) {
  const answer = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: context },
      identityPolicies,
      resourcePolicy: resourcePolicy ?? undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    {}
  )
  return answer.resultType === 'error' ? answer.errors : answer.overallResult
}

process.stdout.write(JSON.stringify(await Promise.all(cases.map(decide))))

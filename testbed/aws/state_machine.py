"""Runs a state machine's definition through scenarios, and tells what it did.

The interpreter is moto's (LocalStack's: an ANTLR grammar of the Amazon States Language and its evaluation), as are S3, CloudWatch, SageMaker and
the started executions. What moto leaves open is put in here, and nothing else:

- JSONata: moto ships LocalStack's hook for it without the evaluator behind it. Here it is jsonata-python, with the functions that Step Functions adds
  ($parse, $hash, $uuid) and without the one it takes away ($eval). A result that is undefined is an error, as AWS has it.
- How long things take: waits and the pauses of retries move a clock on, and $millis reads it.
- How jobs end: SageMaker's own create and describe answer, with what the scenario says of the job laid over it; StopTrainingJob and StopTransformJob,
  which moto lacks.
- `sagemaker:createTransformJob.sync`, which moto's interpreter does not know: it asks the same API, looks until the job ended, and fails as Step
  Functions does (https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html).
- What S3 sends is a text, as Step Functions has it, and StartExecution gets its parameters by their names.
- Every request is held against AWS's own model of its service by botocore, which moto's interpreter does not do.

Reads {name: scenario} from standard input; writes {name: what was done} to standard output. What a scenario says: state-machine.ts.
"""

import hashlib
import json
import sys
import time
import uuid
from datetime import datetime, timezone

import boto3
import botocore.session
import botocore.validate
from botocore.exceptions import ClientError
from jsonata import jsonata
from moto import mock_aws
from moto.core.responses import EmptyResult
from moto.sagemaker.exceptions import SagemakerClientError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk as sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_factory as factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import StateTaskServiceCallback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import StateTaskServiceSfn
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.jsonata import jsonata as hook

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class Clock:
    """Seconds that have gone by without anybody waiting for them."""

    def __init__(self):
        self.ahead = 0.0
        self.waits = []

    def wait(self, seconds):
        self.waits.append(seconds)
        self.ahead += seconds

    def millis(self):
        return int((time.time() + self.ahead) * 1000)


clock = Clock()
scenario = {}
done = {}


# JSONata --------------------------------------------------------------------------------------------------------------

def evaluate(expression):
    try:
        compiled = jsonata.Jsonata(expression)
        compiled.register_lambda("parse", lambda text: json.loads(text))
        compiled.register_lambda("hash", lambda text, algorithm: hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest())
        compiled.register_lambda("millis", clock.millis)
        compiled.register_lambda("uuid", lambda: str(uuid.uuid4()))
        compiled.register_lambda("uuid", lambda: str(uuid.uuid4()))
        compiled.register_lambda("eval", refuse_eval)
        result = compiled.evaluate(None)
        if result is None:
            raise ValueError("the expression returned nothing (undefined)")
        return json.loads(json.dumps(result))
    except Exception as error:
        raise hook.JSONataException("States.QueryEvaluationError", str(error))


def refuse_eval(*_):
    raise ValueError("Step Functions has no $eval")


def declarations(bindings):
    """Moto's own puts texts between quotes as they are."""
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


# AWS's names and models -----------------------------------------------------------------------------------------------

session = botocore.session.get_session()
sdk._SERVICE_ERROR_NAMES.update({"sagemaker": "SageMaker", "s3": "S3", "cloudwatch": "CloudWatch"})
call_service = sdk.StateTaskServiceAwsSdk._eval_service_task


def check(task, parameters):
    model = session.get_service_model(task._get_boto_service_name())
    action = task.resource.api_action
    operation = model.operation_model(action[0].upper() + action[1:])
    report = botocore.validate.ParamValidator().validate(parameters, operation.input_shape)
    if report.has_errors():
        done["invalid"].append(f"{operation.name}: {report.generate_report()}")
    done["requests"].append({"action": operation.name, "parameters": json.loads(json.dumps(parameters))})


def checked_call(self, env, resource_runtime_part, normalised_parameters, state_credentials):
    check(self, normalised_parameters)
    try:
        call_service(self, env, resource_runtime_part, normalised_parameters, state_credentials)
    except ClientError as error:
        # Moto's S3 gives some of its refusals none, and its interpreter wants one.
        error.response["ResponseMetadata"].setdefault("RequestId", "none")
        raise
    answer = env.stack[-1]
    if "Body" in answer:
        answer["Body"] = answer["Body"].read().decode()


def start_execution_parameters(self, parameters, **_):
    """Moto's hands them on as the language writes them: StateMachineArn for stateMachineArn, and objects for texts of JSON."""
    for name in list(parameters):
        value = parameters.pop(name)
        parameters[name[0].lower() + name[1:]] = value if isinstance(value, str) else json.dumps(value)


# What moto's interpreter does not know -----------------------------------------------------------------------------------

LOOK_SECONDS = 60


class TransformJobs(StateTaskServiceCallback):
    """`arn:aws:states:::sagemaker:createTransformJob.sync`."""

    def __init__(self):
        super().__init__(supported_integration_patterns={ResourceCondition.Sync})

    def _get_supported_parameters(self):
        return set(session.get_service_model("sagemaker").operation_model("CreateTransformJob").input_shape.members)

    def _eval_service_task(self, env, resource_runtime_part, normalised_parameters, state_credentials):
        check(self, normalised_parameters)
        made = boto3.client("sagemaker", region_name=resource_runtime_part.region).create_transform_job(**normalised_parameters)
        env.stack.append({"TransformJobArn": made["TransformJobArn"]})

    def _eval_integration_pattern(self, env, resource_runtime_part, normalised_parameters, state_credentials):
        env.stack.pop()
        self.timeout.eval(env=env)
        until = clock.millis() + 1000 * env.stack.pop()
        client = boto3.client("sagemaker", region_name=resource_runtime_part.region)
        while True:
            job = client.describe_transform_job(TransformJobName=normalised_parameters["TransformJobName"])
            job = json.loads(json.dumps({name: value for name, value in job.items() if name != "ResponseMetadata"}, default=str))
            if job["TransformJobStatus"] == "Completed":
                return env.stack.append(job)
            if job["TransformJobStatus"] in ("Failed", "Stopped"):
                raise FailureEventException(self.failure(env, StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed), json.dumps(job)))
            clock.ahead += min(LOOK_SECONDS, max(0, until - clock.millis()) / 1000 + 0.001)
            if clock.millis() >= until:
                raise EvalTimeoutError()

    def _from_error(self, env, ex):
        """The names of errors are those of the API's model; what it has no name for is AmazonSageMakerException, throttling too."""
        if isinstance(ex, EvalTimeoutError):
            return self._get_timed_out_failure_event(env)
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        code, message = ex.response["Error"]["Code"], ex.response["Error"]["Message"]
        errors = session.get_service_model("sagemaker").operation_model("CreateTransformJob").error_shapes
        name = f"{code}Exception" if code in [shape.name for shape in errors] else "AmazonSageMakerException"
        cause = f"{message} (Service: AmazonSageMaker; Status Code: 400; Error Code: {code}; Request ID: none; Proxy: null)"
        return self.failure(env, CustomErrorName(f"SageMaker.{name}"), cause)

    def failure(self, env, name, cause):
        details = TaskFailedEventDetails(
            resource=self._get_sfn_resource(), resourceType=self._get_sfn_resource_type(), error=name.error_name, cause=cause
        )
        return FailureEvent(
            env=env, error_name=name, event_type=HistoryEventType.TaskFailed, event_details=EventDetails(taskFailedEventDetails=details)
        )


# Jobs -----------------------------------------------------------------------------------------------------------------

def refusal(code, message):
    answer = SagemakerClientError(message)
    answer.code = code
    return answer


create_training_job = SageMakerModelBackend.create_training_job
create_processing_job = SageMakerModelBackend.create_processing_job
create_transform_job = SageMakerModelBackend.create_transform_job


def started(script, create):
    def start(self, **request):
        said = scenario.get(script, [])
        number = done["started"].setdefault(script, 0)
        done["started"][script] += 1
        job = dict(said[min(number, len(said) - 1)]) if said else {}
        if "refused" in job:
            raise refusal(**job["refused"])
        made = create(self, **request)
        made.looks = list(job.get("looks", [{}]))
        if job.get("answerLost"):
            raise refusal("ResourceInUse", "Training job names must be unique within an AWS account and region")
        return made

    return start


def looked_at(backend_jobs, name):
    job = backend_jobs[name]
    look = job.looks.pop(0) if len(job.looks) > 1 else job.looks[0]
    return {**job.response_object, **look}


def describe_training_job(self, training_job_name):
    return looked_at(self.training_jobs, training_job_name)


def describe_processing_job(self, processing_job_name):
    return looked_at(self.processing_jobs, processing_job_name)


def describe_transform_job(self, transform_job_name):
    return looked_at(self.transform_jobs, transform_job_name)


def stop_transform_job(self):
    refusals = scenario.get("stopRefused", [])
    if refusals:
        raise refusal(**refusals.pop(0))
    done["stopped_after"] = clock.ahead
    job = self.sagemaker_backend.transform_jobs[self._get_param("TransformJobName")]
    job.looks = [{"TransformJobStatus": "Stopped"}]
    return EmptyResult()


def stop_training_job(self):
    job = self.sagemaker_backend.training_jobs[self._get_param("TrainingJobName")]
    job.looks = [{"TrainingJobStatus": "Stopping", "SecondaryStatus": "Stopping"}, scenario["stopped"]]
    return EmptyResult()


def plug_in():
    hook._eval_jsonata = evaluate
    for name in ("$parse", "$hash", "$uuid"):
        intrinsic._DECLARATION_BY_VARIABLE_REFERENCE.pop(name)
    states.encode_jsonata_variable_declarations = declarations
    variable_store.encode_jsonata_variable_declarations = declarations
    WaitFunction._wait_interval = lambda self, env, wait_seconds: clock.wait(wait_seconds)
    retrier_decl.time = type("Time", (), {"sleep": staticmethod(clock.wait)})
    sdk.StateTaskServiceAwsSdk._eval_service_task = checked_call
    StateTaskServiceSfn._normalise_parameters = start_execution_parameters
    SageMakerModelBackend.create_training_job = started("training", create_training_job)
    SageMakerModelBackend.create_processing_job = started("gate", create_processing_job)
    SageMakerModelBackend.create_transform_job = started("transform", create_transform_job)
    SageMakerModelBackend.describe_training_job = describe_training_job
    SageMakerModelBackend.describe_processing_job = describe_processing_job
    SageMakerModelBackend.describe_transform_job = describe_transform_job
    SageMakerResponse.stop_training_job = stop_training_job
    SageMakerResponse.stop_transform_job = stop_transform_job
    # Of the services that moto's interpreter knows by name alone, SageMaker is the one that is used here.
    factory.StateTaskServiceUnsupported = TransformJobs


# Runs -----------------------------------------------------------------------------------------------------------------

def run(name, said):
    scenario.clear()
    scenario.update(said)
    done.clear()
    done.update(invalid=[], requests=[], started={})
    clock.__init__()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = lambda service: boto3.client(service, region_name=REGION)
        s3, machines = client("s3"), client("stepfunctions")
        for bucket in said.get("buckets", []):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for object_ in said.get("objects", []):
            s3.put_object(**object_)
        role = f"arn:aws:iam::{ACCOUNT}:role/any"
        follower = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        follower_arn = machines.create_state_machine(name="follower", definition=json.dumps(follower), roleArn=role)["stateMachineArn"]
        machine = machines.create_state_machine(name="training", definition=said["definition"], roleArn=role)["stateMachineArn"]
        execution = machines.start_execution(
            stateMachineArn=machine, name=said.get("execution", name), input=json.dumps(said.get("input", {}))
        )["executionArn"]
        ended = wait_for(machines, execution)
        path = path_of(machines, execution)
        metrics = metrics_of(client("cloudwatch"))
        followers = machines.list_executions(stateMachineArn=follower_arn)["executions"]
        inputs = [json.loads(machines.describe_execution(executionArn=one["executionArn"])["input"]) for one in followers]
    output = ended.get("output")
    return {
        "status": ended["status"],
        "error": ended.get("error"),
        "cause": ended.get("cause"),
        "output": None if output is None else json.loads(output),
        "path": path,
        "waits": clock.waits,
        "metrics": metrics,
        "followers": inputs,
        "requests": done["requests"],
        "invalid": done["invalid"],
        "stoppedAfter": done.get("stopped_after"),
    }


def wait_for(machines, execution):
    until = time.time() + 50
    while time.time() < until:
        ended = machines.describe_execution(executionArn=execution)
        if ended["status"] != "RUNNING":
            return ended
        time.sleep(0.02)
    raise TimeoutError(f"{execution} did not end; it was in {path_of(machines, execution)[-3:]}")


def path_of(machines, execution):
    events = machines.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def metrics_of(cloudwatch):
    written = {}
    for metric in cloudwatch.list_metrics()["Metrics"]:
        found = cloudwatch.get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=datetime.fromtimestamp(time.time() - 3600, timezone.utc),
            EndTime=datetime.fromtimestamp(time.time() + 3600, timezone.utc),
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]
        written[metric["MetricName"]] = {
            "namespace": metric["Namespace"],
            "dimensions": {one["Name"]: one["Value"] for one in metric["Dimensions"]},
            "sum": sum(point["Sum"] for point in found),
        }
    return written


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    plug_in()
    json.dump({name: run(name, said) for name, said in asked.items()}, sys.stdout)

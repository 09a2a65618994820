"""Our table in DynamoDB, which is made when it is used and not there."""

from botocore.exceptions import ClientError

from store_adapters.dynamo_calls import Answer, Calls, NotDone, Patience, code_of

KEY = "entity-key"  # names with a dash are ours: no view's name has one

_CREATION_SECONDS = 60.0


class Table(Calls):
    """Calls that concern one table."""

    def __init__(self, name: str, *, region: str, endpoint: str | None, timeout_seconds: float) -> None:
        super().__init__(region=region, endpoint=endpoint, timeout_seconds=timeout_seconds)
        self.name = name

    def call(self, operation: str, **arguments: object) -> Answer:
        """Call an operation on the table. Every call of ours may be repeated, so a lost one is: once."""
        if operation != "batch_get_item":  # which names its tables itself
            arguments["TableName"] = self.name
        try:
            return super().call(operation, **arguments)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
        self._make()  # which may take longer than a call has patience for
        return super().call(operation, **arguments)

    def _make(self) -> None:
        client = self.client()
        try:
            client.create_table(
                TableName=self.name,
                KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "B"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":  # another process is making it
                raise
        patience = Patience(_CREATION_SECONDS)
        while client.describe_table(TableName=self.name)["Table"]["TableStatus"] != "ACTIVE":
            if not patience.wait():
                raise NotDone(f"the table {self.name} is being made for over {_CREATION_SECONDS:.0f} s")

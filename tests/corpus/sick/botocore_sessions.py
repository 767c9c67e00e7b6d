"""A session and a client for each tenant, used once."""
import botocore.session

signed = 0
for n in range(45):
    session = botocore.session.Session()
    client = session.create_client("s3", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")
    signed += len(client.generate_presigned_url("get_object", Params={"Bucket": f"tenant{n}", "Key": "x"}))
    del client, session
print(signed)

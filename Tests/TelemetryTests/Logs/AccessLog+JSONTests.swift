import Core
import Foundation
import Testing

@testable import Telemetry

@Suite struct AccessLogJSONTests {
    @Test func writesAForwardedRequest() {
        let (record, head) = LogFixture.forwarded()
        let fixture = LogFixture(.json)
        fixture.write(record, head, loadBalancer: Array("app/web".utf8), targetGroup: Array("blue".utf8))
        #expect(
            fixture.written == """
                {"type":"http","time":"2026-01-31T12:34:56.923012Z","elb":"app/web","client_ip":"192.0.2.7",\
                "client_port":54321,"target_ip":"2001:db8::5","target_port":80,"request_processing_time":0.001000,\
                "target_processing_time":0.132999,"response_processing_time":0.000000,"queue_time":null,\
                "elb_status_code":200,"target_status_code":200,"received_bytes":251,"sent_bytes":1093,\
                "request_line":"GET http://shop.example:8080/cart?id=1 HTTP/1.1","user_agent":"curl/8.1 \\"x\\"",\
                "ssl_cipher":null,"ssl_protocol":null,"target_group":"blue",\
                "trace_id":"Root=1-697df8b0-abcdef012345678912345678","domain_name":null,"chosen_cert_arn":null,\
                "matched_rule_priority":10,\
                "request_creation_time":"2026-01-31T12:34:56.789012Z","actions_executed":"forward","redirect_url":null,\
                "error_reason":null,\
                "apus_reason":null,"classification":null,"classification_reason":null,"conn_trace_id":null,\
                "transformed_host":null,"transformed_uri":null,"request_transform_status":null,\
                "ip_address":"10.0.0.1"}

                """)
    }

    @Test func writesARefusedRequest() {
        var record = LogFixture.record()
        record.status = 400
        record.reason = "BadContentLength"
        let fixture = LogFixture(.json)
        fixture.write(record, Head())
        #expect(
            fixture.written == """
                {"type":"http","time":"2026-01-31T12:34:56.789012Z","elb":null,"client_ip":"192.0.2.7",\
                "client_port":54321,"target_ip":null,"target_port":null,"request_processing_time":null,\
                "target_processing_time":null,"response_processing_time":null,"queue_time":null,"elb_status_code":400,\
                "target_status_code":null,"received_bytes":0,"sent_bytes":0,\
                "request_line":"- http://10.0.0.1:8080- -","user_agent":null,\
                "ssl_cipher":null,"ssl_protocol":null,"target_group":null,"trace_id":null,"domain_name":null,\
                "chosen_cert_arn":null,"matched_rule_priority":null,\
                "request_creation_time":"2026-01-31T12:34:56.789012Z","actions_executed":null,"redirect_url":null,\
                "error_reason":null,\
                "apus_reason":"BadContentLength","classification":null,"classification_reason":null,\
                "conn_trace_id":null,"transformed_host":null,"transformed_uri":null,\
                "request_transform_status":null,"ip_address":"10.0.0.1"}

                """)
    }

    @Test func tellsWhatTransformsHaveMade() {
        var (record, head) = LogFixture.forwarded()
        record.transformedHost = head.append("a.internal")
        record.transformedURL = head.append("/b?c=\"d\"")
        record.transformStatus = "TransformSuccess"
        let fixture = LogFixture(.json)
        fixture.write(record, head)
        #expect(
            fixture.written.contains(
                #""transformed_host":"a.internal","transformed_uri":"/b?c=\"d\"","#
                    + #""request_transform_status":"TransformSuccess""#))
    }

    @Test func aReasonMayHaveADetail() {
        var record = LogFixture.record()
        record.reason = "MalformedResponse"
        record.reasonDetail = "BadChunkSize"
        let fixture = LogFixture(.json)
        fixture.write(record, Head())
        #expect(fixture.written.contains(#","apus_reason":"MalformedResponse/BadChunkSize","#))
    }

    /// Whatever bytes a user agent has, the line is one JSON object that gives them back.
    @Test func anyBytesAreValidJSON() throws {
        let (record, head) = LogFixture.forwarded()
        let bytes = Array(UInt8.min...UInt8.max)
        head.removeFields(.userAgent)
        head.addField(name: head.append("user-agent"), value: head.append(bytes.span), id: .userAgent)
        let fixture = LogFixture(.json)
        fixture.write(record, head)
        let line = fixture.written
        #expect(line.filter { $0 == "\n" }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let agent = try #require(object?["user_agent"] as? String)
        #expect(agent.unicodeScalars.map(\.value) == bytes.map(UInt32.init))
    }
}

/// The version of Apus, as `apus --version`, the status and the metrics tell it.
public let apusVersion = "0.1.0"
